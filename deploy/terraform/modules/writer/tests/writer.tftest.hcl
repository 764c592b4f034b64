mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name           = "logs"
  bucket_arn     = "arn:aws:s3:::logs-999999999999"
  bucket_key_arn = "arn:aws:kms:eu-central-1:999999999999:key/bbbbbbbb-1111"

  clusters = {
    irsa = {
      tenants           = ["acme"]
      oidc_provider_arn = "arn:aws:iam::999999999999:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/ABC"
    }
    pods = {
      tenants          = ["acme", "bolt"]
      eks_cluster_name = "prod"
    }
  }

  brokers = { broker = { role_arns = ["arn:aws:iam::999999999999:role/log-broker"] } }
}

run "a_cluster_writes_below_its_own_tenants" {
  command = apply

  assert {
    condition     = jsondecode(aws_iam_policy.clusters["pods-1"].policy).Statement[0].Resource == ["arn:aws:s3:::logs-999999999999/acme/pods/*", "arn:aws:s3:::logs-999999999999/bolt/pods/*"]
    error_message = "Every segment before the wildcard must be fixed."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.brokered["broker"].policy).Statement[0].Resource == "arn:aws:s3:::logs-999999999999/$${aws:PrincipalTag/tenant}/$${aws:PrincipalTag/cluster}/*"
    error_message = "A brokered session must write where its tags say."
  }

  assert {
    condition     = alltrue([for cluster, role in aws_iam_role.clusters : role.tags.cluster == cluster])
    error_message = "A role must carry its cluster's name, for policies of your own."
  }
}

run "the_other_layout_begins_with_the_cluster" {
  command = apply

  variables {
    key_prefix = "{cluster}/{tenant}/"
  }

  assert {
    condition     = jsondecode(aws_iam_policy.clusters["irsa-1"].policy).Statement[0].Resource == ["arn:aws:s3:::logs-999999999999/irsa/acme/*"]
    error_message = "Cluster first, tenant second."
  }
}

run "many_tenants_are_spread_over_policies_that_iam_takes" {
  command = apply

  variables {
    clusters = {
      management = {
        eks_cluster_name = "management"
        tenants          = [for number in range(300) : format("tenant-%025d", number)]
      }
    }
  }

  assert {
    condition     = length(aws_iam_policy.clusters) == 10 && alltrue([for policy in aws_iam_policy.clusters : length(policy.policy) <= 6144])
    error_message = "Ten policies of at most 6,144 characters are what a role may have."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    name           = "l"
    bucket_arn     = "*"
    bucket_key_arn = "*"
    key_prefix     = "{application}/"
    clusters       = { "a/b" = { tenants = ["*"] } }
    brokers        = { broker = { role_arns = ["*"] } }
  }

  expect_failures = [var.name, var.bucket_arn, var.bucket_key_arn, var.key_prefix, var.clusters]
}


run "values_that_do_not_fit_each_other_are_refused" {
  command = plan

  variables {
    clusters = { same = { tenants = ["acme"], eks_cluster_name = "prod" } }
    brokers  = { same = { role_arns = ["arn:aws:iam::999999999999:role/log-broker"] } }
  }

  expect_failures = [var.brokers]
}

run "a_broker_by_a_pattern_is_refused" {
  command = plan

  variables {
    brokers = { broker = { role_arns = ["*"] } }
  }

  expect_failures = [var.brokers]
}

run "a_cluster_with_two_identities_or_none_is_refused" {
  command = plan

  variables {
    clusters = { none = { tenants = ["acme"] } }
  }

  expect_failures = [var.clusters]
}
