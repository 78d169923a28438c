"""An example: a state machine that asks a model, tries again where that helps, and takes each kind of failure its way.

Copy it, or take its ``Retry`` and ``Catch`` as they are. The error names are the class names in ``keyway/errors.py``;
which of them are worth another try is read from there.
"""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.constructs.acknowledged import acknowledge
from infra.names import Names
from infra.options import Options
from keyway import errors

_OF_LAMBDA = [
    "Lambda.TooManyRequestsException",
    "Lambda.ServiceException",
    "Lambda.SdkClientException",
    "Lambda.AWSLambdaException",
    "Lambda.Unknown",
]
"""Lambda's own failures that pass. The CDK's default list forgets the first, the most common one."""

_OF_KEYS = ["AuthFailed", "KeyRequired"]
"""Somebody has to put a key right; trying again does not."""


def worth_retrying() -> list[str]:
    """The names of our errors after which the same request may succeed, all but a lack of time."""
    found = [kind.__name__ for kind in errors.KeywayError.__subclasses__() if kind.retryable]
    return [name for name in found if name != "DeadlineExceeded"]


class ExampleStack(Stack):
    """``Ask`` calls the gateway with the execution's input, which is a request as ``POST /v1/execute`` takes it.

    Its retries on ``RateLimited`` last as long as the gateway may run: that is also what an attempt is told while an
    earlier one is still under way.
    """

    def __init__(self, scope: Construct, names: Names, options: Options, gateway: lambda_.Alias) -> None:
        super().__init__(
            scope, "Example", stack_name=names.stack("Example"), description="Keyway: an example state machine"
        )
        ask = tasks.LambdaInvoke(
            self,
            "Ask",
            lambda_function=gateway,
            payload_response_only=True,
            retry_on_service_exceptions=False,
            task_timeout=sfn.Timeout.duration(Duration.minutes(15)),
            result_path="$.reply",
        )
        ask.add_retry(
            errors=["RateLimited"],
            interval=Duration.seconds(5),
            max_attempts=18,
            backoff_rate=2,
            max_delay=Duration.minutes(1),
            jitter_strategy=sfn.JitterType.FULL,
        )
        ask.add_retry(
            errors=[name for name in worth_retrying() if name != "RateLimited"] + _OF_LAMBDA,
            interval=Duration.seconds(2),
            max_attempts=3,
            backoff_rate=2,
            jitter_strategy=sfn.JitterType.FULL,
        )
        key = sfn.Fail(self, "KeyNeedsAttention", error_path="$.failure.Error", cause_path="$.failure.Cause")
        other = sfn.Fail(self, "Failed", error_path="$.failure.Error", cause_path="$.failure.Cause")
        ask.add_catch(key, errors=_OF_KEYS, result_path="$.failure")
        ask.add_catch(other, errors=["States.ALL"], result_path="$.failure")
        # Attempts of one execution are one task, which is charged once.
        name = sfn.Pass(self, "NameTheTask", input_path="$$.Execution.Id", result_path="$.idempotencyKey")
        where = sfn.Choice(self, "WhereIsTheAnswer")
        where.when(sfn.Condition.is_present("$.reply.answer"), sfn.Succeed(self, "AnsweredInS3"))
        where.otherwise(sfn.Succeed(self, "Answered"))
        log_group = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"/aws/vendedlogs/states/{names.prefix}-ask",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=RemovalPolicy.RETAIN if options.retain else RemovalPolicy.DESTROY,
        )
        machine = sfn.StateMachine(
            self,
            "AskModel",
            state_machine_name=f"{names.prefix}-ask",
            definition_body=sfn.DefinitionBody.from_chainable(name.next(ask).next(where)),
            # Inputs and answers are the callers' words; they stay out of the log.
            logs=sfn.LogOptions(destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=False),
            timeout=Duration.hours(1),
        )
        acknowledge(
            machine,
            "SF2",
            "The gateway has no X-Ray segments to join; the request id in answer and log is the thread to follow.",
        )
        acknowledge(
            machine,
            "IAM5[Resource::*]",
            "Step Functions sets up its log's delivery with actions that know no resources (its developer guide).",
        )
