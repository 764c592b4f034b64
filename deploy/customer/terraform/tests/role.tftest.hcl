# The role as it is planned: who may become it, and what it may then do. That AWS reads these documents as meant is
# evaluated in tests/deploy/customer.

mock_provider "aws" {
  override_data {
    target = data.aws_partition.here
    values = { partition = "aws-us-gov" }
  }
  override_data {
    target = data.aws_region.here
    values = { id = "us-gov-west-1" }
  }
  override_data {
    target = data.aws_caller_identity.here
    values = { account_id = "111111111111" }
  }
}

variables {
  tenant_id        = "acme"
  central_role_arn = "arn:aws-us-gov:iam::999999999999:role/central-log-distribution"
  external_id      = "acme-4f1c"
  log_group_name   = "/platform/acme"
}

run "only_the_central_role_with_the_external_id" {
  command = plan

  assert {
    condition     = aws_iam_role.distribution.name == "CustomerLogDistribution-logs" && aws_iam_role.distribution.max_session_duration == 3600
    error_message = "The central role may assume CustomerLogDistribution-* alone, for an hour."
  }
  assert {
    condition     = length(jsondecode(aws_iam_role.distribution.assume_role_policy).Statement) == 1
    error_message = "Without session tags there is one way in."
  }
  assert {
    condition = jsondecode(aws_iam_role.distribution.assume_role_policy).Statement[0] == {
      Sid       = "CentralRoleWithTheAgreedExternalId"
      Effect    = "Allow"
      Principal = { AWS = var.central_role_arn }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "sts:ExternalId" = var.external_id } }
    }
    error_message = "The one principal is the central role, and it must say the external id."
  }
}

run "one_group_and_no_more_than_needed" {
  command = plan

  assert {
    condition     = jsondecode(aws_iam_role_policy.writing.policy).Statement[0].Action == ["logs:PutLogEvents", "logs:CreateLogStream"]
    error_message = "A group of the customer's own needs neither CreateLogGroup nor PutRetentionPolicy."
  }
  assert {
    condition = jsondecode(aws_iam_role_policy.writing.policy).Statement[0].Resource == [
      "arn:aws-us-gov:logs:us-gov-west-1:111111111111:log-group:/platform/acme",
      "arn:aws-us-gov:logs:us-gov-west-1:111111111111:log-group:/platform/acme:*",
    ]
    error_message = "One group of this account, in this partition and region."
  }
}

run "the_platform_makes_the_group" {
  command = plan

  variables {
    platform_makes_group         = true
    platform_sets_retention_days = 30
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.writing.policy).Statement[0].Action == ["logs:PutLogEvents", "logs:CreateLogStream", "logs:CreateLogGroup", "logs:PutRetentionPolicy"]
    error_message = "Who is to make the group must be allowed to."
  }
}

run "the_row_says_what_the_platform_needs" {
  command = apply

  variables {
    require_session_tag          = true
    platform_makes_group         = true
    platform_sets_retention_days = 30
  }

  assert {
    condition = jsondecode(output.cloudwatch_row) == {
      tenant_id                 = { S = "acme" }
      type                      = { S = "cloudwatch" }
      enabled                   = { BOOL = true }
      log_distribution_role_arn = { S = output.role_arn }
      log_group_name            = { S = "/platform/acme" }
      target_region             = { S = "us-gov-west-1" }
      external_id               = { S = "acme-4f1c" }
      log_retention_days        = { N = "30" }
      session_tags              = { BOOL = true }
    }
    error_message = "The row must be what DynamoDB's PutItem takes."
  }
}

run "sessions_say_for_whom" {
  command = plan

  variables {
    require_session_tag = true
  }

  assert {
    condition = (
      jsondecode(aws_iam_role.distribution.assume_role_policy).Statement[0].Condition.StringEquals["aws:RequestTag/tenant"] == "acme"
      && jsondecode(aws_iam_role.distribution.assume_role_policy).Statement[1].Action == "sts:TagSession"
      && jsondecode(aws_iam_role_policy.writing.policy).Statement[0].Condition.StringEquals["aws:PrincipalTag/tenant"] == "acme"
    )
    error_message = "The tag is asked for at the door and looked at again with each write."
  }
}

# ── What is refused ────────────────────────────────────────────────────────────────────────────────────────────────────

run "a_tenant_that_is_a_pattern" {
  command         = plan
  expect_failures = [var.tenant_id]

  variables {
    tenant_id = "*"
  }
}

run "a_whole_account_as_principal" {
  command         = plan
  expect_failures = [var.central_role_arn]

  variables {
    central_role_arn = "arn:aws:iam::999999999999:root"
  }
}

run "an_external_id_of_one_character" {
  command         = plan
  expect_failures = [var.external_id]

  variables {
    external_id = "x"
  }
}

run "a_group_of_awss_own" {
  command         = plan
  expect_failures = [var.log_group_name]

  variables {
    log_group_name = "aws/lambda"
  }
}

run "a_role_name_too_long" {
  command         = plan
  expect_failures = [var.role_suffix]

  variables {
    role_suffix = "a-name-of-forty-one-characters-is-too-long"
  }
}

run "a_retention_that_cloudwatch_does_not_know" {
  command         = plan
  expect_failures = [var.platform_sets_retention_days]

  variables {
    platform_makes_group         = true
    platform_sets_retention_days = 31
  }
}

run "a_retention_for_a_group_of_ones_own" {
  command         = plan
  expect_failures = [var.platform_sets_retention_days]

  variables {
    platform_sets_retention_days = 30
  }
}

run "a_tag_of_ours" {
  command         = plan
  expect_failures = [var.tags]

  variables {
    tags = { "logfanout:tenant" = "somebody-else" }
  }
}
