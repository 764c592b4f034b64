output "repository_url" {
  description = "Where to push the image to."
  value       = module.registry.repository_url
}

output "central_role_arn" {
  description = "What customers trust."
  value       = module.global.role_arn
}

output "bucket_name" {
  description = "Where the collectors write."
  value       = module.regional.bucket_name
}

output "writer_role_arns" {
  description = "Cluster to the role of its collectors."
  value       = module.regional.writer_role_arns
}

output "tenants_table_name" {
  description = "Where tenants are entered."
  value       = module.regional.tenants_table_name
}

output "worker_role_arn" {
  description = "What the workers are."
  value       = module.regional.worker_role_arn
}

output "environment" {
  description = "What the workers are told; enough to run one by hand."
  value       = module.regional.environment
}

output "dead_letters_url" {
  description = "URL of the dead letters."
  value       = module.regional.dead_letters_url
}

output "alarm_topic_arn" {
  description = "Subscribe who is to be told."
  value       = module.regional.alarm_topic_arn
}
