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
  value       = module.staging.bucket_name
}

output "writer_role_arns" {
  description = "Cluster to the role of its collectors."
  value       = module.writer.cluster_role_arns
}

output "tenants_table_name" {
  description = "Where tenants are entered."
  value       = module.tenants.table_name
}

output "alarm_topic_arn" {
  description = "Subscribe who is to be told."
  value       = module.alarms.topic_arn
}
