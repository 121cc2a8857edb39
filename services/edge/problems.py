"""Every answer of 400 and above as problem+json (RFC 9457), and the page that each `type` leads to."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from schemas.errors import Reason, Unavailable, Undecodable
from services.edge.logs import logger

_log = logger("lastintact.http")

MEDIA_TYPE = "application/problem+json"
# Between "at once", which keeps an overload alive, and minutes, in which a scanner's queue grows.
RETRY_AFTER_SECONDS = 2


class Kind(NamedTuple):
    """One kind of problem. `en` and `zh` say in a sentence what it means and what to do."""

    status: int
    title: str
    en: str
    zh: str


KINDS: dict[str, Kind] = {
    "malformed": Kind(
        400,
        "Malformed request",
        "The body or a parameter cannot be read; `errors` names the part and the remedy.",
        "请求体或参数无法解析;errors 指出有问题的部分和改法。",
    ),
    "bad-as-of": Kind(
        400,
        "Unreadable as_of",
        "Send an RFC 3339 time with a zone, or a position vector such as 0:123,1:77.",
        "请发送带时区的 RFC 3339 时间,或 0:123,1:77 这样的位置向量。",
    ),
    "bad-cursor": Kind(
        400,
        "Unreadable cursor",
        "Cursors are opaque: send one exactly as a page gave it, or none to start over.",
        "游标不可自行构造:请原样发送上一页给出的游标,或不发送以从头开始。",
    ),
    "unauthenticated": Kind(
        401,
        "No valid key",
        "Send `Authorization: Bearer li_...` with a key that is neither expired nor revoked.",
        "请用 Authorization: Bearer li_... 发送未过期、未吊销的密钥。",
    ),
    "forbidden": Kind(
        403,
        "Not for this key",
        "The key is valid, but its role may not do this; ask an administrator for another key.",
        "密钥有效,但其角色无权进行此操作;请向管理员申请其他密钥。",
    ),
    "not-found": Kind(404, "Not found", "There is nothing at this address.", "此地址没有内容。"),
    "unknown-parcel": Kind(
        404,
        "Unknown parcel",
        "No event of this parcel or unit is recorded as of the time asked about.",
        "在所询问的时间之前,没有该包裹或单元的任何记录。",
    ),
    "unknown-event": Kind(404, "Unknown event", "No event with this id is recorded.", "没有该编号的事件记录。"),
    "unknown-device": Kind(
        404, "Unknown device", "No device of this name has sent anything.", "没有该名称的设备发送过任何内容。"
    ),
    "unknown-depot": Kind(404, "Unknown depot", "No key is bound to this depot.", "没有绑定到该站点的密钥。"),
    "method-not-allowed": Kind(
        405,
        "Method not allowed",
        "The address exists; `Allow` lists the methods it answers.",
        "地址存在;Allow 列出它支持的方法。",
    ),
    "timeout": Kind(
        408,
        "Request too slow",
        "The body did not arrive in time; send it again, in smaller batches if the link is slow.",
        "请求体未能及时到达;请重发,网络慢时请减小批量。",
    ),
    "conflict": Kind(409, "Conflict", "The state has changed in between; read it again.", "状态已变化;请重新读取。"),
    "too-large": Kind(
        413,
        "Too large",
        "The body or the batch is over the limit; `OPTIONS /v1/events` tells the limits.",
        "请求体或批量超过上限;OPTIONS /v1/events 给出各项上限。",
    ),
    "unsupported-media-type": Kind(
        415,
        "Unsupported media type",
        "Send one of the content types that `Accept` lists.",
        "请使用 Accept 列出的内容类型。",
    ),
    "invalid": Kind(
        422,
        "Invalid value",
        "It can be read, but a value is not acceptable; `errors` names each one and the remedy.",
        "可以解析,但有值不被接受;errors 逐一指出并给出改法。",
    ),
    "all-rejected": Kind(
        422,
        "Nothing was recorded",
        "Every event was rejected; `results` says why, one by one. The bytes are kept 30 days.",
        "所有事件都被拒收;results 逐条说明原因。原始字节保留 30 天。",
    ),
    "too-many-requests": Kind(
        429, "Too many attempts", "Wait as long as `Retry-After` says, then try again.", "请按 Retry-After 等待后再试。"
    ),
    "too-many-streams": Kind(
        429,
        "Too many streams",
        "This key follows as many streams as it may; end one, then open another.",
        "该密钥打开的事件流已达上限;请先关闭一个再打开。",
    ),
    "internal": Kind(
        500,
        "Our mistake",
        "Something here is broken and is logged under the request id; send the same again later.",
        "服务端出错,已按请求编号记入日志;请稍后原样重发。",
    ),
    "unavailable": Kind(
        503,
        "Not now",
        "A needed part is slow or away; nothing is promised. Wait, then send the same again.",
        "所需部件暂时缓慢或不可用,未作任何承诺;请等待后原样重发。",
    ),
    "not-ready": Kind(
        503, "Not ready", "One of the critical checks fails; `checks` lists them.", "有关键检查未通过;checks 逐项列出。"
    ),
}
"""Every kind by the last part of its `type`. Never rename one: clients branch on it."""

_BY_STATUS = {
    400: "malformed",
    401: "unauthenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    408: "timeout",
    409: "conflict",
    413: "too-large",
    415: "unsupported-media-type",
    422: "invalid",
    429: "too-many-requests",
    500: "internal",
    503: "unavailable",
}
"""The kind that answers a status which the framework gave without saying more."""


class Problem(HTTPException):
    """Raise it anywhere under a route; it is answered as problem+json.

    `slug` is one of `KINDS`; `more` are further members of the body.
    """

    def __init__(
        self,
        slug: str,
        detail: str,
        *,
        errors: Sequence[Reason] = (),
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(KINDS[slug].status, detail, dict(headers or {}))
        self.slug = slug
        self.errors = errors
        self.more = dict(more or {})


def answer(problem: Problem, request: Request) -> Response:
    """The response that tells this problem."""
    return _response(
        problem.slug,
        problem.detail,
        instance=request.url.path,
        errors=problem.errors,
        headers=problem.headers,
        more=problem.more,
    )


def internal_error(instance: str) -> Response:
    """The response to a bug of ours: says nothing of its inside."""
    return _response("internal", "The request could not be answered; the fault is ours.", instance=instance)


def unreadable_request() -> Response:
    """The response to bytes that are no HTTP request, so that there is no path to name."""
    return _response("malformed", "These bytes are no HTTP/1.1 request.", instance="")


def install(app: FastAPI) -> None:
    """Answer every error of the app as problem+json and give each kind its page."""
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid_parameters)
    app.add_exception_handler(Unavailable, _on_unavailable)
    app.add_exception_handler(Undecodable, _on_undecodable)


def router(open_to_all: Any) -> APIRouter:
    """`GET /problems/{slug}`. `open_to_all` is the dependency that declares it public (services/edge/roles.py)."""
    pages = APIRouter()

    @pages.get("/problems/{slug}", dependencies=[open_to_all])
    def explain_problem(slug: str) -> dict[str, Any]:
        """What a problem type means, in a sentence of both languages."""
        if slug not in KINDS:
            raise Problem("not-found", f"There is no problem type {slug[:40]!r}.")
        return {"type": f"/problems/{slug}"} | KINDS[slug]._asdict()

    return pages


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error, Problem):
        return answer(error, request)
    slug = _BY_STATUS.get(error.status_code)
    if slug is not None:
        return _response(slug, str(error.detail), instance=request.url.path, headers=error.headers)
    return _response(
        None, str(error.detail), instance=request.url.path, headers=error.headers, status=error.status_code
    )


async def _on_invalid_parameters(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    reasons = [
        Reason(
            code="BAD_PARAMETER",
            field=".".join(str(part) for part in fault["loc"]),
            detail=f"{fault['msg']}.",
            remedy="Correct this parameter and ask again.",
        )
        for fault in error.errors()
    ]
    return _response(
        "invalid", "A parameter has a value that is not acceptable.", instance=request.url.path, errors=reasons
    )


async def _on_unavailable(request: Request, error: Exception) -> Response:
    assert isinstance(error, Unavailable)
    _log.warning("unavailable", request_id=request.scope["state"].get("request_id"), reason=str(error))
    # The reason may name hosts or tables; the caller only needs to know that waiting helps.
    return _response(
        "unavailable",
        "A needed part is slow or away. Wait, then send the same again.",
        instance=request.url.path,
        headers={"Retry-After": str(error.retry_after_seconds)},
    )


async def _on_undecodable(request: Request, error: Exception) -> Response:
    assert isinstance(error, Undecodable)
    slug = "bad-as-of" if error.field == "as_of" else "malformed"
    reason = Reason(code="UNREADABLE", field=error.field, detail=error.reason, remedy=error.remedy)
    return _response(slug, error.reason, instance=request.url.path, errors=[reason])


def _response(
    slug: str | None,
    detail: str,
    *,
    instance: str,
    errors: Sequence[Reason] = (),
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, Any] | None = None,
    status: int = 500,
) -> Response:
    if slug is None:
        # RFC 9457 4.2.1: a status that says everything by itself has the type about:blank.
        body: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    else:
        status = KINDS[slug].status
        body = {"type": f"/problems/{slug}", "title": KINDS[slug].title, "status": status}
    body |= {"detail": detail, "instance": instance}
    if errors:
        body["errors"] = errors
    extra = dict(headers or {})
    if status in {429, 503}:
        extra.setdefault("Retry-After", str(RETRY_AFTER_SECONDS))
    return Response(msgspec.json.encode(body | dict(more or {})), status, extra, MEDIA_TYPE)
