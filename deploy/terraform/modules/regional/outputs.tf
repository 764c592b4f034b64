output "bucket_name" {
  description = "Where the collectors write."
  value       = module.staging.bucket_name
}

output "bucket_key_arn" {
  description = "The key the bucket seals with."
  value       = module.staging.key_arn
}

output "topic_arn" {
  description = "The topic that announces every new object, for consumers of your own."
  value       = module.staging.topic_arn
}

output "writer_role_arns" {
  description = "Cluster to the role of its collectors."
  value       = module.writer.cluster_role_arns
}

output "broker_role_arns" {
  description = "Broker's name to the role whose sessions it tags."
  value       = module.writer.broker_role_arns
}

output "queue_name" {
  description = "Name of the queue of notices, for the scaling."
  value       = module.queue.queue_name
}

output "queue_url" {
  description = "URL of the queue of notices."
  value       = module.queue.queue_url
}

output "dead_letters_url" {
  description = "URL of the dead letters."
  value       = module.queue.dead_letters_url
}

output "tenants_table_name" {
  description = "Where tenants are entered."
  value       = module.tenants.table_name
}

output "worker_role_arn" {
  description = "ARN of the worker's role, for global's worker_role_arns."
  value       = module.fleet.worker_role_arn
}

output "cluster_name" {
  description = "Name of the ECS cluster, for the scaling."
  value       = module.fleet.cluster_name
}

output "service_name" {
  description = "Name of the ECS service, for the scaling."
  value       = module.fleet.service_name
}

output "security_group_id" {
  description = "Security group of the tasks, for the endpoints."
  value       = module.fleet.security_group_id
}

output "environment" {
  description = "What the workers are told, name to value; enough to run one by hand."
  value       = module.fleet.environment
}

output "alarm_topic_arn" {
  description = "The topic of alarms: subscribe who is to be told."
  value       = module.alarms.topic_arn
}
