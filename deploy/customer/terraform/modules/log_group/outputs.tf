output "name" {
  description = "The group's name, for log_group_name of the module above."
  value       = aws_cloudwatch_log_group.tenant.name
}

output "arn" {
  description = "The group's ARN."
  value       = aws_cloudwatch_log_group.tenant.arn
}
