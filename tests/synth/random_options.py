"""Options as people write them, at random: right and wrong words, types, numbers and resources of any place."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, get_type_hints

from aws_cdk import App, CfnParameter, Duration, Environment, RemovalPolicy, Size, Stack, Stage
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_xray as xray
from traced_pipeline import Handler, Instrumentation
from traced_pipeline.option_types import members, words_of

ACCOUNTS = ("111111111111", "222222222222")
REGIONS = ("eu-west-1", "us-east-1")
KEY = "01234567-0123-0123-0123-0123456789ab"

# How many fields of a class are given, on average, and how many values are of no right type: low enough that about as
# many configurations are made as are refused.
GIVEN = 1.6
WRONG_FRACTION = 0.06

NUMBERS: Sequence[float] = (
    0,
    1,
    2,
    5,
    10,
    11,
    128,
    256,
    300,
    1000,
    1001,
    10_000,
    10_001,
    43_201,
    -1,
    10**12,
    0.5,
    1e-9,
)
TEXTS = ("orders", "a" * 129, "prod", "", " ", "a b", "ü", "/", "$", "{x}", "a-b_c")
OF_FIELD: Mapping[str, Sequence[object]] = {
    "path": ("/", "/orders", "orders/{id}", "/{proxy+}", "/a//b", "/{id", "*", "/orders list"),
    "method": ("POST", "post", "PUT", "ANY", "GET", "*", "FETCH"),
    "stage_name": ("prod", "v1", "pro d", "a" * 129),
    "schema": (
        {"type": "object"},
        {"type": "objekt"},
        {"$defs": {}},
        {"$ref": "#/definitions/a"},
        {"maximum": math.inf},
    ),
    "authorization_scopes": (["orders/write"], [], [""], ["a b"]),
    "max_message_size": (1023, 1024, 262_144, 262_145, 1_048_576, 1_048_577),
    "environment": ({"LEVEL": "info"}, {"TOPIC_ARN": "mine"}, {"1": "x"}, {"LEVEL": 5}, {}),
    "table_actions": (["dynamodb:PutItem"], ["dynamodb:GetItem", "dynamodb:Query"], ["PutItem"], ["s3:*"], []),
    "filters": ([{"pattern": '{"body":{"kind":["big"]}}'}], [{}], [{"pattern": 5}], []),
    "filter_policy": ({"kind": sns.SubscriptionFilter.string_filter(allowlist=["big"])}, {"kind": "big"}, {}),
    "filter_policy_with_message_body": (
        {"kind": sns.FilterOrPolicy.filter(sns.SubscriptionFilter.string_filter(allowlist=["big"]))},
        {"kind": ["big"]},
    ),
}
NEEDS = {"vpc_subnets": "vpc", "security_groups": "vpc"}
WRONG: Sequence[object] = (
    "no such word",
    "python3.13",
    "arn:aws:sns:eu-west-1:111111111111:orders",
    "",
    0,
    30,
    -1,
    0.5,
    math.nan,
    math.inf,
    True,
    None,
    (),
    [],
    ["orders"],
    {},
    {"a": math.nan},
    b"orders",
    object(),
    Path("handlers"),
    Handler,
)


class Scene:
    """An app with one stack to build in, and whatever resources the options ask for."""

    def __init__(self, random: Random, app: App, folder: Path) -> None:
        self.random = random
        self.folder = folder
        self.app = app
        self._of_the_stack = self._place()
        self.stack = Stack(app, "Shop", env=self._of_the_stack)
        self._count = 0

    def options(self, kind: type[Any]) -> dict[str, object]:
        """Random arguments for an options class; most fields keep their default."""
        hints = get_type_hints(kind)
        usual = 1 - min(0.4, GIVEN / len(hints))
        given = [field.name for field in dataclasses.fields(kind) if self.random.random() > usual]
        for name, needed in NEEDS.items():
            if name in given and needed not in given and self.random.random() < 0.8:
                given.append(needed)
        return {name: self.value(name, hints[name]) for name in given}

    def value(self, name: str, hint: object) -> object:
        """A value for a field: of its type as a rule, otherwise anything."""
        if self.random.random() < WRONG_FRACTION:
            return self.random.choice(WRONG)
        if name in OF_FIELD:
            return self.random.choice(OF_FIELD[name])
        kinds: list[object] = [kind for kind in members(hint) if kind is not type(None) and kind in MAKERS]
        words = words_of(hint)
        made: list[Callable[[], object]] = [*(lambda k=kind: MAKERS[k](self) for kind in kinds)]
        made += [lambda: self.random.choice(words)] if words else []
        assert made, f"{name}: nothing makes a value of {hint}; add one to MAKERS"
        return self.random.choice(made)()

    def new_id(self) -> str:
        self._count += 1
        return f"Mine{self._count}"

    def somewhere(self) -> Stack:
        """The stack itself, or another one of the app, of any account and Region."""
        if self.random.random() < 0.6:
            return self.stack
        stage = Stage(self.app, self.new_id()) if self.random.random() < 0.1 else None
        place = self._of_the_stack if self.random.random() < 0.5 else self._place()
        return Stack(stage or self.app, self.new_id(), env=place)

    def name(self) -> str | None:
        """A physical name, by which other environments know a resource, or none."""
        return f"named-{self._count}" if self.random.random() < 0.3 else None

    def arn(self, service: str, resource: str) -> str:
        place = self._of_the_stack if self.random.random() < 0.6 else None
        region = place.region if place else self.random.choice(REGIONS)
        account = place.account if place else self.random.choice(ACCOUNTS)
        return f"arn:aws:{service}:{region}:{account}:{resource}"

    def imported(self) -> bool:
        return self.random.random() < 0.4

    def _place(self) -> Environment | None:
        if self.random.random() < 0.3:
            return None
        return Environment(account=self.random.choice(ACCOUNTS), region=self.random.choice(REGIONS))


def topic(scene: Scene) -> sns.ITopic:
    if scene.imported():
        name = scene.random.choice(("orders", "orders.fifo"))
        return sns.Topic.from_topic_arn(scene.stack, scene.new_id(), scene.arn("sns", name))
    fifo = True if scene.random.random() < 0.3 else None
    tracing = scene.random.choice(list(sns.TracingConfig))
    stack = scene.somewhere()
    return sns.Topic(stack, scene.new_id(), fifo=fifo, tracing_config=tracing, master_key=maybe_key(scene, stack))


def queue(scene: Scene) -> sqs.IQueue:
    if scene.imported():
        name = scene.random.choice(("jobs", "jobs.fifo"))
        return sqs.Queue.from_queue_arn(scene.stack, scene.new_id(), scene.arn("sqs", name))
    stack = scene.somewhere()
    return sqs.Queue(
        stack,
        scene.new_id(),
        fifo=True if scene.random.random() < 0.3 else None,
        visibility_timeout=Duration.seconds(scene.random.choice((30, 180, 3600))),
        encryption_master_key=maybe_key(scene, stack),
    )


def table(scene: Scene) -> dynamodb.ITable:
    if scene.imported():
        return dynamodb.Table.from_table_arn(scene.stack, scene.new_id(), scene.arn("dynamodb", "table/orders"))
    key = dynamodb.Attribute(name=scene.random.choice(("id", "pk")), type=dynamodb.AttributeType.STRING)
    made = scene.random.choice((dynamodb.Table, dynamodb.TableV2))
    return made(scene.somewhere(), scene.new_id(), partition_key=key, table_name=scene.name())


def key(scene: Scene) -> kms.IKey:
    if scene.imported():
        return kms.Key.from_key_arn(scene.stack, scene.new_id(), scene.arn("kms", f"key/{KEY}"))
    if scene.random.random() < 0.2:
        return kms.Alias.from_alias_name(scene.stack, scene.new_id(), "alias/mine")
    made = kms.Key(scene.somewhere(), scene.new_id())
    return made.add_alias("alias/mine") if scene.random.random() < 0.2 else made


def maybe_key(scene: Scene, stack: Stack) -> kms.IKey | None:
    return kms.Key(stack, scene.new_id()) if scene.random.random() < 0.2 else None


def rest_api(scene: Scene) -> apigateway.IRestApi:
    if scene.imported():
        return apigateway.RestApi.from_rest_api_attributes(
            scene.somewhere(), scene.new_id(), rest_api_id="a1", root_resource_id="r1"
        )
    stack = scene.somewhere()
    # An authorizer that no method uses is refused by the CDK.
    defaults = scene.random.choice(
        (
            lambda: None,
            lambda: apigateway.MethodOptions(authorization_type=apigateway.AuthorizationType.IAM),
            lambda: apigateway.MethodOptions(authorizer=authorizer(scene, stack)),
        )
    )()
    api = apigateway.RestApi(stack, scene.new_id(), default_method_options=defaults, deploy=scene.random.random() < 0.8)
    api.root.add_resource(scene.random.choice(("status", "{proxy+}", "orders", "{id}"))).add_method("ANY")
    return api


def authorizer(scene: Scene, stack: Stack | None = None) -> apigateway.IAuthorizer:
    stack = stack or scene.somewhere()
    pool = cognito.UserPool.from_user_pool_id(stack, scene.new_id(), "eu-west-1_abc")
    return apigateway.CognitoUserPoolsAuthorizer(stack, scene.new_id(), cognito_user_pools=[pool])


def function(scene: Scene) -> lambda_.IFunction:
    if scene.imported():
        return lambda_.Function.from_function_arn(scene.stack, scene.new_id(), scene.arn("lambda", "function:mine"))
    made = lambda_.Function(
        scene.somewhere(),
        scene.new_id(),
        function_name=scene.name(),
        runtime=scene.random.choice((lambda_.Runtime.PYTHON_3_13, lambda_.Runtime.NODEJS_22_X)),
        handler="index.handler",
        code=lambda_.Code.from_inline("x"),
    )
    return made.add_alias("live") if scene.random.random() < 0.2 else made


def handler(scene: Scene) -> Handler:
    random = scene.random
    right = (scene.folder, str(scene.folder), lambda_.Code.from_inline("x"))
    code = random.choice(right if random.random() < 0.8 else ("", ".", "missing", "h.zip"))
    return Handler(code, "app.handler" if random.random() < 0.8 else random.choice(("handler", "", "other.handler")))


def vpc(scene: Scene) -> ec2.IVpc:
    if scene.imported():
        return ec2.Vpc.from_vpc_attributes(
            scene.stack,
            scene.new_id(),
            vpc_id="vpc-0123456789abcdef0",
            availability_zones=["a"],
            private_subnet_ids=["subnet-0123456789abcdef0"],
        )
    # The others are old names of these.
    kind = scene.random.choice((ec2.SubnetType.PRIVATE_ISOLATED, ec2.SubnetType.PRIVATE_WITH_EGRESS))
    public = ec2.SubnetConfiguration(name="out", subnet_type=ec2.SubnetType.PUBLIC)
    subnets = [public, ec2.SubnetConfiguration(name="in", subnet_type=kind)]
    return ec2.Vpc(scene.stack, scene.new_id(), max_azs=1, subnet_configuration=subnets)


def duration(scene: Scene) -> Duration:
    random = scene.random
    seconds = random.choice((0, 1, 5, 29, 30, 180, 300, 301, 900, 5400, 43_201, 10**6))
    number = CfnParameter(scene.stack, scene.new_id(), type="Number").value_as_number
    return random.choice(
        (Duration.seconds(seconds), Duration.millis(1500), Duration.minutes(1), Duration.seconds(number))
    )


def number(scene: Scene) -> float:
    if scene.random.random() < 0.1:
        return CfnParameter(scene.stack, scene.new_id(), type="Number").value_as_number
    return scene.random.choice(NUMBERS)


def text(scene: Scene) -> str:
    if scene.random.random() < 0.1:
        return CfnParameter(scene.stack, scene.new_id()).value_as_string
    return scene.random.choice(TEXTS)


def subnets(scene: Scene) -> ec2.SubnetSelection:
    kinds = (ec2.SubnetType.PRIVATE_ISOLATED, ec2.SubnetType.PRIVATE_WITH_EGRESS, ec2.SubnetType.PUBLIC, None)
    kind, name = scene.random.choice(kinds), scene.random.choice(("in", "elsewhere", None))
    return ec2.SubnetSelection(subnet_type=None if name else kind, subnet_group_name=name)


def runtime(scene: Scene) -> lambda_.Runtime:
    # None that the CDK does not know: it would count as the latest for every other test of this process.
    names = ("python3.9", "python3.10", "python3.11", "python3.14")
    made = [lambda_.Runtime(name, lambda_.RuntimeFamily.PYTHON) for name in names]
    return scene.random.choice((*made, lambda_.Runtime.PYTHON_3_13, lambda_.Runtime.NODEJS_22_X))


def instrumentation(scene: Scene) -> Instrumentation:
    random = scene.random
    relation: Any = random.choice(("parent", "parent", "link"))
    export: Any = random.choice(("daemon", "otlp", "segments"))
    layers = [random.choice((layer(scene), scene.arn("lambda", "layer:vendor:1"))) for _ in range(random.randint(1, 4))]
    made = random.choice((Instrumentation.xray(), Instrumentation.open_telemetry(relation=relation)))
    brought = random.choice((Instrumentation.adot(layers[0], relation=relation, export=export), None))
    return random.choice((made, brought or Instrumentation.vendor(layers)))


def layer(scene: Scene) -> lambda_.ILayerVersion:
    if scene.imported():
        arn = scene.arn("lambda", "layer:trace-bridge:1")
        return lambda_.LayerVersion.from_layer_version_arn(scene.stack, scene.new_id(), arn)
    stack = scene.somewhere()
    code = lambda_.Code.from_asset(str(scene.folder))
    return lambda_.LayerVersion(stack, scene.new_id(), code=code)


def log_group(scene: Scene) -> logs.ILogGroup:
    if scene.imported():
        arn = scene.arn("logs", "log-group:mine:*")
        return logs.LogGroup.from_log_group_arn(scene.stack, scene.new_id(), arn)
    name = "/mine" if scene.random.random() < 0.5 else None
    return logs.LogGroup(scene.somewhere(), scene.new_id(), log_group_name=name)


def role(scene: Scene) -> iam.IRole:
    if scene.imported():
        mutable = scene.random.random() < 0.5
        return iam.Role.from_role_arn(scene.stack, scene.new_id(), _role_arn(scene), mutable=mutable)
    return iam.Role(scene.somewhere(), scene.new_id(), assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))


def _role_arn(scene: Scene) -> str:
    return f"arn:aws:iam::{scene.arn('iam', '').split(':')[4]}:role/mine"


def resource_policy(scene: Scene) -> xray.CfnResourcePolicy:
    return xray.CfnResourcePolicy(scene.somewhere(), scene.new_id(), policy_name="topics", policy_document="{}")


MAKERS: Mapping[object, Callable[[Scene], object]] = {
    int: number,
    float: number,
    str: text,
    bool: lambda scene: scene.random.choice((True, False)),
    Duration: duration,
    Handler: handler,
    RemovalPolicy: lambda scene: scene.random.choice((RemovalPolicy.RETAIN, RemovalPolicy.DESTROY)),
    apigateway.IAuthorizer: authorizer,
    apigateway.IRestApi: rest_api,
    dynamodb.ITable: table,
    ec2.IVpc: vpc,
    ec2.SubnetSelection: subnets,
    Sequence[lambda_.ILayerVersion]: lambda scene: [layer(scene) for _ in range(scene.random.choice((0, 1, 1, 2, 5)))],
    Size: lambda scene: scene.random.choice(
        (Size.mebibytes(512), Size.gibibytes(2), Size.mebibytes(100), Size.kibibytes(600_000))
    ),
    iam.IRole: role,
    lambda_.SnapStartConf: lambda _: lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS,
    sns.FifoThroughputScope: lambda scene: scene.random.choice(list(sns.FifoThroughputScope)),
    sqs.DeduplicationScope: lambda scene: scene.random.choice(list(sqs.DeduplicationScope)),
    sqs.FifoThroughputLimit: lambda scene: scene.random.choice(list(sqs.FifoThroughputLimit)),
    Sequence[ec2.ISecurityGroup]: lambda scene: [
        ec2.SecurityGroup.from_security_group_id(scene.stack, scene.new_id(), "sg-0123456789abcdef0")
    ],
    Instrumentation: instrumentation,
    kms.IKey: key,
    lambda_.Architecture: lambda scene: scene.random.choice(
        (lambda_.Architecture.X86_64, lambda_.Architecture.ARM_64, lambda_.Architecture.custom("riscv"))
    ),
    lambda_.IFunction: function,
    lambda_.Runtime: runtime,
    lambda_.ILayerVersion: layer,
    logs.ILogGroup: log_group,
    logs.RetentionDays: lambda scene: scene.random.choice((logs.RetentionDays.ONE_DAY, logs.RetentionDays.INFINITE)),
    sns.ITopic: topic,
    sqs.IQueue: queue,
    xray.CfnResourcePolicy: resource_policy,
}
