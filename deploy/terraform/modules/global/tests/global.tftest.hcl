mock_provider "aws" {
  source = "../../mocks"
}

variables {
  worker_role_arns = ["arn:aws:iam::999999999999:role/logs-worker"]
}

run "only_customers_roles_can_be_entered" {
  command = apply

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.customers.policy).Statement :
      statement.Resource == "arn:aws:iam::*:role/CustomerLogDistribution-*"
    ])
    error_message = "The central role must reach customers' roles and no other."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.customers.policy).Statement[0].Condition == { Null = { "sts:ExternalId" = "false" } }
    error_message = "No role may be entered without an external id."
  }

  assert {
    condition     = jsondecode(aws_iam_role.distribution.assume_role_policy).Statement[0].Principal == { AWS = ["arn:aws:iam::999999999999:role/logs-worker"] }
    error_message = "The workers, and nobody else, may become the central role."
  }
}

run "another_partition_is_named_as_it_is" {
  command = apply

  override_data {
    target = data.aws_partition.current
    values = { partition = "aws-us-gov" }
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.customers.policy).Statement[0].Resource == "arn:aws-us-gov:iam::*:role/CustomerLogDistribution-*"
    error_message = "ARNs must be of the partition this is applied in."
  }
}

run "external_ids_that_are_listed_are_the_only_ones" {
  command = apply

  variables {
    external_ids = ["b-chose-this", "999999999999"]
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.customers.policy).Statement[0].Condition.StringEquals == { "sts:ExternalId" = ["999999999999", "b-chose-this"] }
    error_message = "Where external ids are listed, no other may be sent."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    role_name            = "no spaces"
    worker_role_arns     = ["arn:aws:iam::999999999999:role/*"]
    customer_role_prefix = "*"
    external_ids         = [""]
  }

  expect_failures = [var.role_name, var.worker_role_arns, var.customer_role_prefix, var.external_ids]
}
