mock_provider "aws" {
  source = "../../mocks"
}

variables {
  region      = "eu-central-1"
  name        = "logs"
  bucket_name = "logs-999999999999"
  image_tag   = "1.0.0"

  vpc_id          = "vpc-0123456789abcdef0"
  subnet_ids      = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  route_table_ids = ["rtb-0123456789abcdef0"]

  clusters = {
    prod = { tenants = ["acme", "bolt"], eks_cluster_name = "prod" }
  }
}

run "it_plans" {
  command = plan

  assert {
    condition     = keys(module.autoscaling) == ["workers"]
    error_message = "On AWS the fleet must be scaled."
  }
}

run "an_emulator_goes_without_the_scaling" {
  command = plan

  variables {
    emulated = true
  }

  assert {
    condition     = length(module.autoscaling) == 0
    error_message = "Where there is no Application Auto Scaling nothing may be asked of it."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    region    = "Frankfurt"
    image_tag = "latest"
  }

  expect_failures = [var.region, var.image_tag]
}
