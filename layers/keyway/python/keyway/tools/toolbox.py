"""Which of a request's tools are run here, and with what; the others are handed back to the caller.

A tool is the operator's when the catalog has its id: then the catalog says how it is run, and the request may leave its
description and parameters to it. Any other is run here only if it brings an executor of a kind that the operator
allows, and for a Lambda function only if the operator lists that function. No key of the platform or of a workspace
ever goes to an executor that the request brought.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from keyway.chat import ChatRequest, HttpExecutor, LambdaExecutor, Tool
from keyway.errors import InvalidRequest
from keyway.tools.catalog import ToolCatalog
from keyway.tools.rows import RESPONSE_BYTES, CatalogTool, ToolHosting
from keyway.tools.template import check_template

NOTHING: Mapping[str, RunnableTool] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class RunnableTool:
    """A tool that is run here.

    Attributes:
        tool: As the request has it.
        executor: What runs it.
        hosting: Whose key it needs; only the operator's tools need any.
        trusted: The executor is the operator's.
        place: The executor's place in the request.
        max_response_bytes: The longest answer that is read.
    """

    tool: Tool
    executor: HttpExecutor | LambdaExecutor
    hosting: ToolHosting | None
    trusted: bool
    place: str
    max_response_bytes: int

    @property
    def payee(self) -> str:
        """Whom its calls are counted for."""
        return self.hosting.payee(self.tool.id) if self.hosting is not None else self.tool.id


class Toolbox:
    """What the operator has and allows. One per environment.

    Args:
        catalog: The operator's tools.
        executors: The kinds of executor that a request may bring.
        functions: The Lambda functions that a request's executor may name.
    """

    def __init__(
        self,
        catalog: ToolCatalog | None = None,
        *,
        executors: Collection[str] = (),
        functions: Collection[str] = (),
    ) -> None:
        self._catalog = catalog or ToolCatalog()
        self._executors = frozenset(executors)
        self._functions = frozenset(functions)

    def equip(self, request: ChatRequest) -> tuple[ChatRequest, Mapping[str, RunnableTool]]:
        """The request with what the catalog adds to its tools, and those of them that are run here, by id.

        Raises:
            InvalidRequest: A tool brings an executor that cannot be, or one for a tool of the operator's.
        """
        if not request.tools:
            return request, NOTHING
        tools = tuple(self._described(tool, index) for index, tool in enumerate(request.tools))
        runnable = {
            tool.id: found
            for index, tool in enumerate(tools)
            if tool.usage_control != "none" and (found := self._runnable(tool, f"tools[{index}].executor")) is not None
        }
        return request.model_copy(update={"tools": tools}), runnable

    def _described(self, tool: Tool, index: int) -> Tool:
        row = self._catalog.tools.get(tool.id)
        if row is None:
            return tool
        if tool.executor is not None:
            raise InvalidRequest(
                f"tools[{index}].executor: {tool.id!r} is a tool of this platform, which knows how to run it. Leave the"
                " executor out, or give the tool another id."
            )
        parameters = tool.parameters if "parameters" in tool.model_fields_set else row.parameters
        return tool.model_copy(
            update={
                "name": tool.name or row.name,
                "description": tool.description or row.description,
                "parameters": parameters_shown(parameters, row),
            }
        )

    def _runnable(self, tool: Tool, place: str) -> RunnableTool | None:
        if (row := self._catalog.tools.get(tool.id)) is not None:
            return RunnableTool(tool, row.executor, row.hosting, True, place, row.max_response_bytes)
        executor = tool.executor
        if executor is None or executor.type not in self._executors:
            return None
        match executor:
            case LambdaExecutor(function=function) if function not in self._functions:
                return None
            case HttpExecutor():
                _check(executor, place)
        return RunnableTool(tool, executor, None, False, place, RESPONSE_BYTES)


def _check(executor: HttpExecutor, place: str) -> None:
    try:
        check_template(executor, trusted=False)
    except ValueError as error:
        raise InvalidRequest(f"{place}.{error}") from None


def parameters_shown(parameters: Mapping[str, object], row: CatalogTool) -> dict[str, object]:
    """The schema as the model sees it: a key is nothing for a model to fill in."""
    shown = dict(parameters)
    if row.hosting is None:
        return shown
    properties, required = shown.get("properties"), shown.get("required")
    if isinstance(properties, Mapping):
        shown["properties"] = {name: value for name, value in properties.items() if name != row.hosting.api_key_param}
    if isinstance(required, list):
        shown["required"] = [name for name in required if name != row.hosting.api_key_param]
    return shown
