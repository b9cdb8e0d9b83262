"""The nginx site of deploy/ in front of two web processes: a launch goes through it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

import debian
import ports
from faults.processes import wait_for
from fleets import Cluster, cluster

SITE = Path(__file__).parents[2] / "deploy" / "nginx" / "passport-lti.conf"
AROUND = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
include {folder}/site.conf; }}
"""


@contextmanager
def nginx(found: Cluster, folder: Path) -> Iterator[str]:
    """The site as it is, but for its ports, and without a certificate; its address."""
    program, port = debian.need("nginx-light", "nginx"), ports.free()
    text = SITE.read_text().replace("listen 443 ssl;", f"listen 127.0.0.1:{port};")
    text = text.replace("listen 80;", f"listen 127.0.0.1:{ports.free()};")
    for mark, url in zip(("8001", "8002"), found.webs.values(), strict=True):
        text = text.replace(f"127.0.0.1:{mark}", url.removeprefix("http://"))
    lines = [line for line in text.splitlines() if "ssl_" not in line]
    (folder / "site.conf").write_text("\n".join(lines))
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder))
    folder.chmod(0o755)
    process = subprocess.Popen(
        [program, "-p", folder, "-c", folder / "nginx.conf", "-g", "user root;"],
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        assert wait_for(lambda: answers(url)), (folder / "error.log").read_text()
        yield url
    finally:
        process.terminate()
        process.wait(20)


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def test_a_launch_goes_through_the_site_also_when_one_web_process_is_gone(tmp_path: Path) -> None:
    with cluster(engine="embedded") as found:
        world = found.world
        found.config.write_text(
            found.config.read_text().replace("tool:\n", "tool:\n  proxy_hops: 1\n")
        )
        for _ in range(2):
            found.start("web")
        found.await_webs()
        direct = dict(found.webs)
        with nginx(found, tmp_path) as url:
            found.webs = {"nginx": url}
            found.balance()
            [activity] = world.publish("final", "final_grade")
            for learner in world.school.learners[:2]:
                assert world.campus.browser(learner).launch(activity).status == 200
            # The web processes see who is behind the proxy: their counts are for this machine.
            assert requests.get(f"{url}/metrics", timeout=5).status_code == 404
            assert requests.get(f"{next(iter(direct.values()))}/metrics", timeout=5).ok
            large = requests.post(f"{url}/lti/launch", data=b"x" * 600_000, timeout=5)
            assert large.status_code == 413 and "nginx" in large.text
            assert (
                requests.get(f"{url}/lti/login?login_hint={'x' * 7000}", timeout=5).status_code
                < 500
            )

            found.webs = direct
            found.kill(next(iter(direct)))
            found.webs = {"nginx": url}
            for learner in world.school.learners[2:5]:
                assert world.campus.browser(learner).launch(activity).status == 200
