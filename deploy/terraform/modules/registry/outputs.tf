output "repository_url" {
  description = "Where to push to; append a colon and a tag for the workers' image."
  value       = aws_ecr_repository.worker.repository_url
}

output "repository_arn" {
  description = "ARN of the repository."
  value       = aws_ecr_repository.worker.arn
}
