"""What each refusal means, for a teacher and for the administrator of the platform.

Plain English, marked for translation: pages translate it where they show it.
"""

from dataclasses import dataclass

from passport_lti.words import N_

AGAIN = N_("Start again from Moodle: go back to your course and open the activity again.")
ADMIN = N_("Please show this page to the administrator of your learning platform.")


@dataclass(frozen=True, slots=True)
class Explanation:
    """What happened and what to do, for a teacher; `setting` is for the administrator."""

    what: str
    do: str = ADMIN
    setting: str = ""


BROKEN = Explanation(
    N_("The message from your learning platform was incomplete or damaged."), AGAIN
)
_KEY = N_(
    "The key_set_url of the platform's entry in this tool's configuration: it must be the "
    "Public keyset URL that Moodle shows under View configuration details."
)
_REGISTRATION = N_(
    "The platform's entry in this tool's configuration: its issuer must be the platform ID, its "
    "client_id the client ID and its deployment_ids the deployment ID that Moodle shows under "
    "View configuration details."
)
_NOT_BEGUN_HERE = N_("This launch did not begin with this tool.")

EXPLANATIONS = {
    "issuer_unknown": Explanation(
        N_("This tool does not know your learning platform."), setting=_REGISTRATION
    ),
    "client_unknown": Explanation(
        N_("This tool knows your learning platform under another client ID."),
        setting=_REGISTRATION,
    ),
    "audience": Explanation(
        N_("The message was made for another client ID than the registered one."),
        setting=_REGISTRATION,
    ),
    "azp": Explanation(N_("The message was issued to another tool."), setting=_REGISTRATION),
    "deployment_unknown": Explanation(
        N_(
            "Your learning platform is known, but this installation of the tool is "
            "waiting for approval."
        ),
        N_(
            "Please ask the administrator of this tool to approve it, then open the activity again."
        ),
        N_(
            "The deployments of this platform: run passport-lti platform approve, or add the "
            "deployment ID under deployment_ids of the platform's entry in this tool's "
            "configuration."
        ),
    ),
    "keyset": Explanation(N_("The platform's public keys can't be read just now."), setting=_KEY),
    "kid_unknown": Explanation(
        N_("The message is signed with a key that the platform does not publish."), setting=_KEY
    ),
    "kid_missing": Explanation(N_("The message names no signing key."), setting=_KEY),
    "signature": Explanation(
        N_("The signature of the message does not fit the platform's key."), setting=_KEY
    ),
    "alg": Explanation(
        N_("The message is not signed the way LTI 1.3 asks for."),
        setting=N_("The platform must sign with RS256."),
    ),
    "expired": Explanation(
        N_("The message from your learning platform came too late."),
        AGAIN,
        N_("If it happens every time, the clocks of the two servers differ: see lti: clock_skew."),
    ),
    "not_yet_valid": Explanation(
        N_("The clock of your learning platform is ahead of this tool's clock."),
        setting=N_("Set the platform's clock right (NTP), or raise lti: clock_skew."),
    ),
    "nonce_reused": Explanation(
        N_("This launch was already used. A reload can't repeat it."), AGAIN
    ),
    "nonce_unknown": Explanation(_NOT_BEGUN_HERE, AGAIN),
    "state_unknown": Explanation(N_("This launch took too long or began elsewhere."), AGAIN),
    "state_missing": Explanation(_NOT_BEGUN_HERE, AGAIN),
    "state_browser": Explanation(
        N_("This launch began in another browser or window."),
        N_(
            "Start again from Moodle: go back to your course and open the activity again. "
            "If it happens again, allow cookies for this site."
        ),
    ),
    "target_link": Explanation(
        N_("The activity points to an address that is not this tool's."),
        setting=N_("Tool settings, Tool URL and Redirection URIs: use the values of /lti/setup."),
    ),
    "platform_error": Explanation(
        N_("Your learning platform could not sign you in to this tool."),
        N_(
            "Start again from Moodle: go back to your course and open the activity again. "
            "You may have to sign in to your learning platform first."
        ),
    ),
    "role_not_allowed": Explanation(
        N_("Only teachers can select content for a course."), N_("Please ask your teacher.")
    ),
    "session": Explanation(
        N_("This page has expired or was already used."),
        N_("Start again from your course: open the activity, or use Select content once more."),
    ),
    "version": Explanation(
        N_("The platform did not speak LTI 1.3."),
        setting=N_("Tool settings, LTI version: LTI 1.3."),
    ),
    "message_type": Explanation(
        N_("This tool can't do what the platform asked for."),
        setting=N_("The tool takes part as an activity and by Select content (deep linking)."),
    ),
}
EXPLANATIONS |= {
    code: Explanation(BROKEN.what, BROKEN.do, setting)
    for code, setting in {
        "malformed": "",
        "claims_missing": N_("The message lacks a required part."),
        "deployment_missing": N_("The message lacks deployment_id."),
        "resource_link_missing": N_("The message lacks the resource link's id."),
        "sub_missing": N_("The message names nobody (sub): anonymous launches are not possible."),
        "roles_missing": N_("The message lacks the person's roles."),
        "nonce_missing": N_("The message has no nonce."),
        "exp_missing": N_("The message has no expiry time (exp)."),
        "iat_missing": N_("The message has no time of issue (iat)."),
    }.items()
}
