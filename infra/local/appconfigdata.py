"""The part of AWS AppConfig that moto does not have: environments, and the data plane that readers poll.

A WSGI application with three operations of the public API, on top of the applications, profiles and hosted
configuration versions that moto stores: ``CreateEnvironment`` (AppConfig API reference) and
``StartConfigurationSession`` and ``GetLatestConfiguration`` (AppConfig Data API reference). There are no
deployments here: the newest version of a profile counts as deployed at once.

Tokens behave as documented: each is good for one call and for 24 hours, and a poll before the session's
``RequiredMinimumPollIntervalInSeconds`` is refused. A body is sent only when it differs from what the session
got last; otherwise the answer is empty.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moto.appconfig.models import Application, ConfigurationProfile, appconfig_backends
from moto.core.models import DEFAULT_ACCOUNT_ID
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

TOKEN_LIFETIME = 24 * 3600.0
"""Seconds for which an unused token is good."""
POLL_INTERVAL = 60
"""Seconds the service asks readers to wait, unless their session set a minimum of its own."""

_CREDENTIAL_REGION = re.compile(r"Credential=[^/]+/\d+/(?P<region>[^/]+)/")


@dataclass(slots=True)
class _Session:
    """One reader: what it reads, how often it may, and what it was given last."""

    profile: ConfigurationProfile
    minimum: int | None
    token: str
    issued: float
    polled: float | None = None
    delivered: int | None = None


class _Refusal(Exception):  # noqa: N818 - an answer, not a failure of this program
    def __init__(self, status: int, code: str, message: str, **details: object) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.body = {"Message": message, **details}


class AppConfigData:
    """The WSGI application. ``handles`` tells which requests are its own; the rest belong to moto."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._environments: dict[str, dict[str, str]] = {}
        self._sessions: dict[str, _Session] = {}
        self._routes = Map(
            [
                Rule("/applications/<application>/environments", methods=["POST"], endpoint=self._environment),
                Rule("/configurationsessions", methods=["POST"], endpoint=self._start),
                Rule("/configuration", methods=["GET"], endpoint=self._latest),
            ]
        )

    def handles(self, method: str, path: str) -> bool:
        """Whether ``method path`` is one of the three operations."""
        return self._routes.bind("").test(path, method=method)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serves one request."""
        request = Request(environ)
        try:
            operation, arguments = self._routes.bind_to_environ(environ).match()
            with self._lock:
                response = operation(request, **arguments)
        except _Refusal as refusal:
            response = _json(refusal.status, refusal.body, {"x-amzn-ErrorType": refusal.code})
        except HTTPException as error:
            return error(environ, start_response)
        answer: Iterable[bytes] = response(environ, start_response)
        return answer

    def _environment(self, request: Request, application: str) -> Response:
        found = _application(request, application)
        name = _text(_body(request), "Name")
        identifier = secrets.token_hex(4)[:7]
        self._environments.setdefault(found.id, {})[identifier] = name
        return _json(
            201,
            {"ApplicationId": found.id, "Id": identifier, "Name": name, "State": "READY_FOR_DEPLOYMENT"},
        )

    def _start(self, request: Request) -> Response:
        body = _body(request)
        application = _application(request, _text(body, "ApplicationIdentifier"))
        environment = _text(body, "EnvironmentIdentifier")
        known = self._environments.get(application.id, {})
        if environment not in known and environment not in known.values():
            raise _missing("Environment", environment)
        profile = _profile(application, _text(body, "ConfigurationProfileIdentifier"))
        minimum = body.get("RequiredMinimumPollIntervalInSeconds")
        if minimum is not None and (not isinstance(minimum, int) or not 15 <= minimum <= 86_400):
            raise _Refusal(400, "BadRequestException", "RequiredMinimumPollIntervalInSeconds must be 15 to 86400")
        session = _Session(profile, minimum, secrets.token_urlsafe(48), self._clock())
        self._sessions[session.token] = session
        return _json(201, {"InitialConfigurationToken": session.token})

    def _latest(self, request: Request) -> Response:
        token = request.args.get("configuration_token", "")
        now = self._clock()
        session = self._sessions.get(token)
        if session is None:
            raise _bad_token("Corrupted")
        if now - session.issued > TOKEN_LIFETIME:
            raise _bad_token("Expired")
        if session.minimum is not None and session.polled is not None and now - session.polled < session.minimum:
            raise _bad_token("PollIntervalNotSatisfied")
        del self._sessions[token]
        session.token, session.issued, session.polled = secrets.token_urlsafe(48), now, now
        self._sessions[session.token] = session
        headers = {
            "Next-Poll-Configuration-Token": session.token,
            "Next-Poll-Interval-In-Seconds": str(session.minimum or POLL_INTERVAL),
        }
        newest = max(session.profile.config_versions, default=None)
        if newest is None:
            raise _missing("Deployment", session.profile.name)
        version = session.profile.config_versions[newest]
        if version.version_label:
            headers["Version-Label"] = version.version_label
        changed = newest != session.delivered
        session.delivered = newest
        content = version.content if changed else b""
        return Response(content, 200, headers, content_type=version.content_type)


def _application(request: Request, identifier: str) -> Application:
    scope = _CREDENTIAL_REGION.search(request.headers.get("Authorization", ""))
    region = scope["region"] if scope else "us-east-1"
    for application in appconfig_backends[DEFAULT_ACCOUNT_ID][region].applications.values():
        if identifier in (application.id, application.name):
            return application
    raise _missing("Application", identifier)


def _profile(application: Application, identifier: str) -> ConfigurationProfile:
    for profile in application.config_profiles.values():
        if identifier in (profile.id, profile.name):
            return profile
    raise _missing("ConfigurationProfile", identifier)


def _body(request: Request) -> Mapping[str, object]:
    data = request.get_json(force=True, silent=True)
    if not isinstance(data, dict):
        raise _Refusal(400, "BadRequestException", "the body must be a JSON object")
    return data


def _text(body: Mapping[str, object], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise _Refusal(400, "BadRequestException", f"{name} is required")
    return value


def _missing(kind: str, identifier: str) -> _Refusal:
    return _Refusal(404, "ResourceNotFoundException", f"{kind} {identifier} was not found", ResourceType=kind)


def _bad_token(problem: str) -> _Refusal:
    return _Refusal(
        400,
        "BadRequestException",
        "Request token is not valid",
        Reason="InvalidParameters",
        Details={"InvalidParameters": {"ConfigurationToken": {"Problem": problem}}},
    )


def _json(status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Response:
    return Response(json.dumps(body), status, dict(headers or {}), content_type="application/json")
