mock_provider "aws" {
  source = "../../mocks"
}

variables {
  region      = "eu-central-1"
  name        = "logs"
  bucket_name = "logs-999999999999"
  image_tag   = "1.0.0"

  clusters = {
    prod = { tenants = ["acme", "bolt"], eks_cluster_name = "prod" }
  }
}

run "it_applies" {
  command = apply

  assert {
    condition     = module.queue.visibility_seconds >= 6 * var.timeout_seconds
    error_message = "A message must stay hidden for six timeouts of the function."
  }
}

run "a_tag_that_moves_is_refused" {
  command = plan

  variables {
    image_tag = "latest"
  }

  expect_failures = [var.image_tag]
}
