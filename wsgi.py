"""For any WSGI server: `gunicorn wsgi:app`. Grades flow beside it: `passport-lti scheduler`.

The configuration is $PASSPORT_LTI_CONFIG, else config/passport.yaml; each process follows it.
"""

import os

from passport_lti import create_app
from passport_lti.cli.main import prepare
from passport_lti.errors import PassportError
from passport_lti.extensions import db
from passport_lti.scheduler import ConfigWatch

try:
    app = create_app()
    with app.app_context():
        prepare(app)
        db.session.remove()
        db.engine.dispose()
except PassportError as error:
    raise SystemExit(str(error)) from None

ConfigWatch(app).start()
# A server that loads the application before it forks leaves threads behind.
os.register_at_fork(after_in_child=lambda: ConfigWatch(app).start())
