output "role_arn" {
  description = "ARN of the central role: CENTRAL_LOG_DISTRIBUTION_ROLE_ARN of the workers, and the principal of customers' trust policies."
  value       = aws_iam_role.distribution.arn
}

output "role_name" {
  description = "Name of the central role."
  value       = aws_iam_role.distribution.name
}
