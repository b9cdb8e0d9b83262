"""What the API answers when it refuses."""

import json

from flask import Response


class ApiError(Exception):
    """A refusal with a status and the body of Coursera's framework."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def response(self) -> Response:
        if not self.code:
            return Response(self.message, self.status, mimetype="text/plain")
        body = {"errorCode": self.code, "message": self.message, "details": None}
        return Response(json.dumps(body), self.status, mimetype="application/json")
