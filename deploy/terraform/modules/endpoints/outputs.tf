output "security_group_id" {
  description = "Security group of the interface endpoints."
  value       = aws_security_group.interfaces.id
}

output "prefix_list_ids" {
  description = "Service to the prefix list of its gateway endpoint: where the tasks' security group must let traffic go."
  value       = { for service, endpoint in aws_vpc_endpoint.gateways : service => endpoint.prefix_list_id }
}
