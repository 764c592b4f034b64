# The example as a customer would plan it.

mock_provider "aws" {}

override_data {
  target = module.bucket.data.aws_partition.here
  values = { partition = "aws" }
}

variables {
  platform = {
    tenant_id        = "acme"
    central_role_arn = "arn:aws:iam::999999999999:role/CentralLogDistribution"
    external_id      = "acme-4f1c"
  }
  bucket_name = "acme-platform-logs"
}

run "it_plans_and_says_what_to_send" {
  command = apply

  assert {
    condition     = [for row in output.rows : jsondecode(row).type.S] == ["cloudwatch", "s3"]
    error_message = "The customer must be told both rows, to send them to the platform."
  }
  assert {
    condition     = alltrue([for row in output.rows : jsondecode(row).tenant_id.S == "acme"])
    error_message = "Both rows must be the tenant's."
  }
}

run "a_region_that_is_none_is_refused" {
  command = plan

  variables {
    region = "Frankfurt"
  }

  expect_failures = [var.region]
}
