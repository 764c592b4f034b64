output "central_role_arn" {
  description = "What customers trust, in every region."
  value       = module.global.role_arn
}

output "bucket_names" {
  description = "Region to where its collectors write."
  value       = { (var.europe.region) = module.europe.bucket_name, (var.america.region) = module.america.bucket_name }
}

output "repository_urls" {
  description = "Region to where to push its image."
  value = {
    (var.europe.region)  = module.europe_registry.repository_url
    (var.america.region) = module.america_registry.repository_url
  }
}

output "alarm_topic_arns" {
  description = "Region to whom to subscribe there."
  value = {
    (var.europe.region)  = module.europe.alarm_topic_arn
    (var.america.region) = module.america.alarm_topic_arn
  }
}
