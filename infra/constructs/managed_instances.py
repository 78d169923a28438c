"""Lambda Managed Instances: the same function on EC2 instances that Lambda runs for us, many requests in each.

For steady high volume: an instance is paid for by the hour, full or empty, and there are no cold starts and no
charge for the time a stream waits. docs/deploy.md has the arithmetic of when that pays. The runtime client serves
``CONCURRENCY`` invocations at once in one event loop.
"""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.constructs.acknowledged import acknowledge
from infra.constructs.functions import ARCHITECTURES
from infra.options import Options

CONCURRENCY = 32
"""Invocations at once in one execution environment. Always said: the platform's default is no promise."""

MEMORY = 2_048
"""MB, the least Managed Instances allow; it comes with one vCPU."""

MAX_VCPUS = 16
"""The ceiling of the bill, where functions have reserved concurrency."""


class ManagedInstances(Construct):
    """A capacity provider in a network of its own, two zones wide, from which only HTTPS leaves."""

    def __init__(self, scope: Construct, function: lambda_.Function, options: Options) -> None:
        super().__init__(scope, "ManagedInstances")
        network = ec2.Vpc(
            self,
            "Network",
            max_azs=2,
            # The providers are on the internet, so each zone needs its way out.
            nat_gateways=2,
            restrict_default_security_group=False,
        )
        acknowledge(network, "VPC7", "Flow logs of TLS to the providers would cost more than they tell.")
        outgoing = ec2.SecurityGroup(self, "Outgoing", vpc=network, allow_all_outbound=False)
        outgoing.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "AWS and the providers")
        provider = lambda_.CapacityProvider(
            self,
            "Capacity",
            subnets=network.private_subnets,
            security_groups=[outgoing],
            architectures=[ARCHITECTURES[options.architecture]],
            max_v_cpu_count=MAX_VCPUS,
        )
        acknowledge(
            provider,
            "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AWSLambdaManagedEC2ResourceOperator]",
            "AWSLambdaManagedEC2ResourceOperator is what Lambda itself needs to run instances; AWS keeps it current.",
        )
        provider.add_function(
            function,
            per_execution_environment_max_concurrency=CONCURRENCY,
            execution_environment_memory_gib_per_v_cpu=2,
        )
