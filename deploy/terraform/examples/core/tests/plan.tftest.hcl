mock_provider "aws" {
  source = "../../mocks"
}

variables {
  region             = "eu-central-1"
  name               = "logs"
  bucket_name        = "logs-999999999999"
  consumer_role_arns = ["arn:aws:iam::999999999999:role/my-consumer"]

  clusters = {
    prod = { tenants = ["acme", "bolt"], eks_cluster_name = "prod" }
  }
}

run "it_plans" {
  command = plan

  assert {
    condition     = output.tenants_table_name == "tenant-configurations" && keys(output.writer_role_arns) == ["prod"]
    error_message = "Collectors and consumers must learn where to write and where to look."
  }
}

run "a_region_that_is_none_is_refused" {
  command = plan

  variables {
    region = "Frankfurt"
  }

  expect_failures = [var.region]
}
