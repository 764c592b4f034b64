output "bucket_name" {
  description = "Where the collectors write."
  value       = module.staging.bucket_name
}

output "topic_arn" {
  description = "What consumers subscribe to."
  value       = module.staging.topic_arn
}

output "writer_role_arns" {
  description = "Cluster to the role of its collectors."
  value       = module.writer.cluster_role_arns
}

output "central_role_arn" {
  description = "What consumers assume first, and customers trust."
  value       = module.global.role_arn
}

output "tenants_table_name" {
  description = "Where tenants are entered."
  value       = module.tenants.table_name
}
