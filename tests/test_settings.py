"""What may be set, what is refused, and how it is said."""

from pathlib import Path

import pytest

from logfanout.settings import Settings, SettingsWrong, listing, read, survey

# CONTRACT §1, the column "default"; None: unset.
PROMISED = {
    "SQS_QUEUE_URL": None,
    "TENANT_CONFIG_TABLE": "tenant-configurations",
    "CENTRAL_LOG_DISTRIBUTION_ROLE_ARN": None,
    "EXECUTION_MODE": "sqs",
    "SOURCE_BUCKET": None,
    "SCAN_INTERVAL": 10,
    "LOG_LEVEL": "INFO",
    "LOGFANOUT_TENANTS_FILE": None,
    "LOGFANOUT_EXTERNAL_ID": None,
    "LOGFANOUT_KEY_LAYOUT": "{tenant}/{cluster}/{application}/{pod}/",
    "LOGFANOUT_STREAM_NAME": "{application}-{pod}-{date}",
    "LOGFANOUT_UNKNOWN_TENANT": "dlq",
    "LOGFANOUT_QUARANTINE_URI": None,
    "LOGFANOUT_DLQ_URL": None,
    "LOGFANOUT_LEDGER_TABLE": None,
    "LOGFANOUT_VISIBILITY_SECONDS": 120,
    "LOGFANOUT_GIVE_BACK_SECONDS": 30,
    "LOGFANOUT_DRAIN_SECONDS": 25,
    "LOGFANOUT_PROCESSES": 1,
    "LOGFANOUT_HTTP_PORT": 9090,
    "LOGFANOUT_MAX_INFLATED_BYTES": 4 * 1024**3,
    "LOGFANOUT_METRIC_TENANTS": 500,
}
QUEUE = "https://sqs.eu-west-1.amazonaws.com/111122223333/notices"
ROLE = "arn:aws-us-gov:iam::111122223333:role/path/central"


def problems(**environ: str) -> dict[str, str]:
    """Return what *read* says of each wrong variable."""
    with pytest.raises(SettingsWrong) as caught:
        read(environ)
    return dict(problem.split(": ", 1) for problem in caught.value.problems)


@pytest.mark.parametrize(("variable", "default"), PROMISED.items())
def test_the_defaults_are_those_promised(variable: str, default: object) -> None:
    """An empty environment is what the contract's table says."""
    found = {each.variable: each for each in listing(read({}), {})}
    assert (found[variable].value, found[variable].source) == (default, "default")


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("SQS_QUEUE_URL", QUEUE, "sqs_queue_url", QUEUE),
        (
            "SQS_QUEUE_URL",
            "http://127.0.0.1:4566/000000000000/q",
            "sqs_queue_url",
            "http://127.0.0.1:4566/000000000000/q",
        ),
        ("CENTRAL_LOG_DISTRIBUTION_ROLE_ARN", ROLE, "central_role_arn", ROLE),
        ("SOURCE_BUCKET", "central-logs", "source_bucket", "central-logs"),
        ("LOGFANOUT_SOURCE_PREFIX", "acme/c1", "source_prefix", "acme/c1"),
        ("LOGFANOUT_SCAN_SINCE", "14d", "scan_since", "14d"),
        ("LOG_LEVEL", "debug", "log_level", "DEBUG"),
        ("LOGFANOUT_PROCESSES", "4", "processes", 4),
        ("LOGFANOUT_PROCESSES", "auto", "processes", "auto"),
        ("LOGFANOUT_HTTP_PORT", "0", "http_port", 0),
        ("LOGFANOUT_DRAIN_SECONDS", "0.5", "drain_seconds", 0.5),
        ("LOGFANOUT_EXTERNAL_ID", "111122223333", "external_id", "111122223333"),
        ("LOGFANOUT_UNKNOWN_TENANT", "drop", "unknown_tenant", "drop"),
    ],
)
def test_a_variable_becomes_a_value(variable: str, text: str, field: str, value: object) -> None:
    """Text of the environment turns into the type that is meant."""
    assert getattr(read({variable: text}), field) == value


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("SQS_QUEUE_URL", "notices"),
        ("CENTRAL_LOG_DISTRIBUTION_ROLE_ARN", "arn:aws:iam::1234:role/short"),
        ("TENANT_CONFIG_TABLE", "a table"),
        ("EXECUTION_MODE", "daemon"),
        ("SCAN_INTERVAL", "0"),
        ("SOURCE_BUCKET", "s3://logs/acme/"),
        ("LOGFANOUT_SOURCE_PREFIX", "x" * 1025),
        ("LOGFANOUT_SCAN_SINCE", "yesterday"),
        ("LOGFANOUT_LIST_PAGE_SIZE", "1001"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "much"),
        ("LOG_LEVEL", "loud"),
        ("LOGFANOUT_KEY_LAYOUT", "{tenant}/{nobody}/"),
        ("LOGFANOUT_STREAM_NAME", "{application}-{hour}"),
        ("LOGFANOUT_UNKNOWN_TENANT", "ignore"),
        ("LOGFANOUT_TENANTS_FILE", "/nowhere/tenants.toml"),
        ("LOGFANOUT_EXTERNAL_ID", "no spaces please"),
        ("LOGFANOUT_VISIBILITY_SECONDS", "1"),
        ("LOGFANOUT_GIVE_BACK_SECONDS", "901"),
        ("LOGFANOUT_DRAIN_SECONDS", "-1"),
        ("LOGFANOUT_PROCESSES", "many"),
        ("LOGFANOUT_HTTP_PORT", "65536"),
        ("LOGFANOUT_SLOTS", "0"),
    ],
)
def test_a_wrong_value_is_refused_under_its_name(variable: str, text: str) -> None:
    """Every variable is checked before anything is started."""
    assert list(problems(**{variable: text})) == [variable]


def test_every_problem_is_said_at_once() -> None:
    """Wrong, missing and unknown variables are all in one refusal: nobody starts five times to find five."""
    with pytest.raises(SettingsWrong) as caught:
        read(
            {"LOGFANOUT_SLOTS": "none", "LOG_LEVEL": "LOUD", "LOGFANOUT_PROCESES": "2"},
            needs=("SQS_QUEUE_URL",),
        )
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "SQS_QUEUE_URL",
        "LOG_LEVEL",
        "LOGFANOUT_SLOTS",
        "LOGFANOUT_PROCESES",
    ]


def test_an_unknown_name_comes_with_the_one_that_was_meant() -> None:
    """A name of ours that does not exist is a typing error, never ignored."""
    assert problems(LOGFANOUT_PROCESES="2") == {
        "LOGFANOUT_PROCESES": "is not a setting; did you mean LOGFANOUT_PROCESSES?"
    }


def test_an_unknown_name_like_no_other_is_refused_as_well() -> None:
    """Without a similar name there is no suggestion, but still a refusal."""
    assert problems(LOGFANOUT_QQQQ="1") == {"LOGFANOUT_QQQQ": "is not a setting"}


def test_names_of_others_are_not_ours_to_refuse() -> None:
    """Only the LOGFANOUT_ namespace is closed."""
    assert read({"PATH": "/bin", "AWS_REGION": "eu-west-1", "_LOGFANOUT_LINK": "3"}) == Settings()


def test_an_empty_variable_is_unset() -> None:
    """Task definitions cannot leave a variable out; they leave it empty."""
    assert read({"LOGFANOUT_DLQ_URL": "", "LOGFANOUT_SLOTS": ""}) == Settings()


def test_a_variable_that_a_command_needs_is_missed() -> None:
    """``needs`` is the command's: the queue is asked for by ``run`` only."""
    assert read({}).sqs_queue_url is None
    with pytest.raises(SettingsWrong, match="SQS_QUEUE_URL: is required and not set"):
        read({"SQS_QUEUE_URL": ""}, needs=("SQS_QUEUE_URL",))


def test_a_union_is_refused_in_one_sentence() -> None:
    """A variable that takes a number or a word is one variable with one problem."""
    assert problems(LOGFANOUT_PROCESSES="many").keys() == {"LOGFANOUT_PROCESSES"}


def test_the_listing_names_each_source(tmp_path: Path) -> None:
    """What was set is told from what was left alone; AWS's own variables are shown when set, credentials never."""
    environ = {
        "LOGFANOUT_SLOTS": "8",
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:4566",
        "AWS_SECRET_ACCESS_KEY": "not-to-be-shown",
        "HOME": str(tmp_path),
    }
    found = {each.variable: each for each in listing(read(environ), environ)}
    assert (found["LOGFANOUT_SLOTS"].value, found["LOGFANOUT_SLOTS"].source) == (8, "environment")
    assert found["LOGFANOUT_RECEIVERS"].source == "default"
    assert found["AWS_ENDPOINT_URL_SQS"].value == "http://127.0.0.1:4566"
    assert found.keys().isdisjoint({"AWS_SECRET_ACCESS_KEY", "HOME"})


def test_the_survey_shows_wrong_variables_among_the_right_ones() -> None:
    """Who looks for what is wrong sees it in its place, and all else beside it."""
    found = {each.variable: each for each in survey({"LOGFANOUT_SLOTS": "0", "LOGFANOUT_RECEIVERS": "2"})}
    assert (found["LOGFANOUT_SLOTS"].value, found["LOGFANOUT_SLOTS"].source) == ("0", "environment")
    assert "greater than or equal to 1" in found["LOGFANOUT_SLOTS"].problem
    assert (found["LOGFANOUT_RECEIVERS"].value, found["LOGFANOUT_RECEIVERS"].problem) == (2, "")


def test_the_survey_does_not_show_what_an_unknown_name_holds() -> None:
    """It may be a secret under a name typed wrong."""
    unknown = survey({"LOGFANOUT_TOKEN": "not-to-be-shown"})[-1]
    assert (unknown.variable, unknown.value) == ("LOGFANOUT_TOKEN", None)
    assert unknown.problem


def test_auto_is_at_least_one_process() -> None:
    """``auto`` is a count in the end."""
    assert read({"LOGFANOUT_PROCESSES": "auto"}).process_count >= 1
    assert read({"LOGFANOUT_PROCESSES": "3"}).process_count == 3


@pytest.mark.parametrize(
    ("environ", "limit"),
    [
        ({}, None),
        ({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512"}, 512 * 1024**2),
        ({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "LOGFANOUT_MEMORY_BYTES": "268435456"}, 256 * 1024**2),
    ],
)
def test_lambda_says_how_much_memory_there_is(environ: dict[str, str], limit: int | None) -> None:
    """The machine it runs on has more; an operator's own figure is the last word."""
    assert read(environ).memory_limit_bytes == limit
