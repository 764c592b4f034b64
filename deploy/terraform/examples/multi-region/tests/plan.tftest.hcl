mock_provider "aws" {
  source = "../../mocks"
}

mock_provider "aws" {
  alias  = "america"
  source = "../../mocks"
}

variables {
  image_tag = "1.0.0"

  europe = {
    region          = "eu-central-1"
    name            = "logs-eu"
    bucket_name     = "logs-eu-999999999999"
    vpc_id          = "vpc-0123456789abcdef0"
    subnet_ids      = ["subnet-0123456789abcdef0"]
    route_table_ids = ["rtb-0123456789abcdef0"]
    clusters        = { prod = { tenants = ["acme"], eks_cluster_name = "prod" } }
  }

  america = {
    region          = "us-east-1"
    name            = "logs-us"
    bucket_name     = "logs-us-999999999999"
    vpc_id          = "vpc-0123456789abcdef1"
    subnet_ids      = ["subnet-0123456789abcdef1"]
    route_table_ids = ["rtb-0123456789abcdef1"]
  }
}

run "it_plans" {
  command = plan

  assert {
    condition     = keys(output.repository_urls) == ["eu-central-1", "us-east-1"]
    error_message = "Each region must have an image of its own."
  }
}

run "two_regions_of_one_name_are_refused" {
  command = plan

  variables {
    america = {
      region          = "us-east-1"
      name            = "logs-eu"
      bucket_name     = "logs-us-999999999999"
      vpc_id          = "vpc-0123456789abcdef1"
      subnet_ids      = ["subnet-0123456789abcdef1"]
      route_table_ids = ["rtb-0123456789abcdef1"]
    }
  }

  expect_failures = [var.america]
}
