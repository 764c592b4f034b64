output "worker_role_arn" {
  description = "ARN of the worker's role, for global's worker_role_arns."
  value       = aws_iam_role.worker.arn
}

output "worker_role_name" {
  description = "Name of the worker's role."
  value       = aws_iam_role.worker.name
}

output "cluster_name" {
  description = "Name of the ECS cluster."
  value       = aws_ecs_cluster.workers.name
}

output "service_name" {
  description = "Name of the ECS service."
  value       = aws_ecs_service.workers.name
}

output "security_group_id" {
  description = "Security group of the tasks."
  value       = aws_security_group.workers.id
}

output "log_group_name" {
  description = "The workers' own log."
  value       = aws_cloudwatch_log_group.workers.name
}

output "environment" {
  description = "What the worker is told, name to value; enough to run one by hand."
  value       = local.environment
}
