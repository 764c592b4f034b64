output "cluster_role_arns" {
  description = "Cluster to the role of its collectors: the annotation eks.amazonaws.com/role-arn, or the Pod Identity association's role."
  value       = { for cluster, role in aws_iam_role.clusters : cluster => role.arn }
}

output "broker_role_arns" {
  description = "Broker's name to the role whose sessions it tags."
  value       = { for name, role in aws_iam_role.brokered : name => role.arn }
}
