output "worker_role_arn" {
  description = "ARN of the function's role, for global's worker_role_arns."
  value       = aws_iam_role.worker.arn
}

output "function_name" {
  description = "Name of the function, as CloudWatch's metrics say it."
  value       = aws_lambda_function.worker.function_name
}

output "log_group_name" {
  description = "The function's own log."
  value       = aws_cloudwatch_log_group.worker.name
}
