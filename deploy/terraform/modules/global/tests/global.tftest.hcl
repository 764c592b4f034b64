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

run "nothing_is_copied_where_no_bucket_is_named" {
  command = plan

  assert {
    condition     = length(aws_iam_role_policy.copies) == 0
    error_message = "Without S3 destinations the central role must not reach any bucket."
  }
}

run "copies_go_from_the_named_buckets_into_nobody_elses_than_customers" {
  command = apply

  variables {
    staging_bucket_names = ["logs-us", "logs-eu"]
    platform_account_ids = ["888888888888"]
  }

  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.copies["copies"].policy).Statement : statement.Sid => statement.Resource
      } == {
      ReadStagedLogs               = ["arn:aws:s3:::logs-eu/*", "arn:aws:s3:::logs-us/*"]
      OpenStagedLogs               = ["arn:aws:kms:*:888888888888:key/*", "arn:aws:kms:*:999999999999:key/*"]
      CopyIntoCustomersBuckets     = "arn:aws:s3:::*/*"
      SealCopiesUnderCustomersKeys = "arn:aws:kms:*:*:key/*"
    }
    error_message = "Copies are read from the buckets that are named, sealed by keys of our accounts, and from nowhere else."
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.copies["copies"].policy).Statement :
      statement.Condition.StringNotEquals == { "aws:ResourceAccount" = ["888888888888", "999999999999"] } &&
      statement.Condition.Null == { "aws:ResourceAccount" = "false" }
      if contains(["CopyIntoCustomersBuckets", "SealCopiesUnderCustomersKeys"], statement.Sid)
    ])
    error_message = "No tenant's row may lead a copy into an account of the platform's."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    staging_bucket_names = ["logs-*"]
    platform_account_ids = ["1234"]
    role_name            = "no spaces"
    worker_role_arns     = ["arn:aws:iam::999999999999:role/*"]
    customer_role_prefix = "*"
    external_ids         = [""]
  }

  expect_failures = [
    var.role_name, var.worker_role_arns, var.customer_role_prefix, var.external_ids, var.staging_bucket_names,
    var.platform_account_ids,
  ]
}
