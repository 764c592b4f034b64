mock_provider "aws" {
  source = "../../mocks"
}

run "a_tag_is_an_image_for_ever" {
  command = apply

  assert {
    condition     = aws_ecr_repository.worker.image_tag_mutability == "IMMUTABLE" && aws_ecr_repository.worker.image_scanning_configuration[0].scan_on_push
    error_message = "Tags must not move, and images must be scanned when pushed."
  }

  assert {
    condition     = [for rule in jsondecode(aws_ecr_lifecycle_policy.worker.policy).rules : rule.selection.tagStatus] == ["untagged", "any"]
    error_message = "Untagged images must go first, then the oldest of all."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    repository_name = "Log Fanout"
    kept_images     = 1
  }

  expect_failures = [var.repository_name, var.kept_images]
}
