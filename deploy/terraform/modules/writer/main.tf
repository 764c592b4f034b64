# Who may put logs into the bucket, and as whom?
#
#     clusters:  cluster ──► a role of its own ──► only <tenant>/<cluster>/… of the tenants it serves
#     brokered:  one role; each session carries tags ──► only <tag>/<tag>/…

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

locals {
  partition  = data.aws_partition.current.partition
  account_id = data.aws_caller_identity.current.account_id
  s3_service = distinct([
    "s3.${data.aws_region.current.id}.amazonaws.com",
    "s3.${data.aws_region.current.id}.${data.aws_partition.current.dns_suffix}",
  ])

  # How collectors seal what they write; the same for all.
  seal = {
    Sid       = "SealLogs"
    Effect    = "Allow"
    Action    = ["kms:GenerateDataKey", "kms:Decrypt"] # Decrypt: the parts of a multipart upload
    Resource  = var.bucket_key_arn
    Condition = { StringEquals = { "kms:ViaService" = local.s3_service } }
  }
}

# ------------------------------------------------------------------------------------------------- a role for each cluster

locals {
  # Tenants by the dozen: IAM's managed policies end at 6,144 characters, and a role may have ten of them.
  tenants_each = 30

  shares = merge([
    for cluster, given in var.clusters : {
      for number, tenants in chunklist(sort(given.tenants), local.tenants_each) : "${cluster}-${number + 1}" => {
        cluster = cluster
        tenants = tenants
      }
    }
  ]...)

  # What stands before the colon of an OIDC provider's conditions is the provider without its scheme.
  issuers = { for cluster, given in var.clusters : cluster => try(split("oidc-provider/", given.oidc_provider_arn)[1], "") }

  trusts = {
    for cluster, given in var.clusters : cluster => given.oidc_provider_arn != "" ? {
      Sid       = "TheCollectorsServiceAccount"
      Effect    = "Allow"
      Principal = { Federated = given.oidc_provider_arn }
      Action    = ["sts:AssumeRoleWithWebIdentity"]
      Condition = {
        StringEquals = {
          "${local.issuers[cluster]}:aud" = "sts.amazonaws.com"
          "${local.issuers[cluster]}:sub" = "system:serviceaccount:${given.namespace}:${given.service_account}"
        }
      }
      } : {
      Sid       = "TheCollectorsPod"
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Condition = {
        StringEquals = {
          "aws:SourceAccount"                         = local.account_id
          "aws:RequestTag/eks-cluster-name"           = given.eks_cluster_name
          "aws:RequestTag/kubernetes-namespace"       = given.namespace
          "aws:RequestTag/kubernetes-service-account" = given.service_account
        }
      }
    }
  }
}

resource "aws_iam_role" "clusters" {
  for_each = var.clusters

  name                 = "${var.name}-writer-${each.key}"
  description          = "Collectors of cluster ${each.key}: write logs of its own tenants"
  max_session_duration = 43200
  assume_role_policy   = jsonencode({ Version = "2012-10-17", Statement = [local.trusts[each.key]] })

  tags = { cluster = each.key }
}

resource "aws_iam_policy" "clusters" {
  for_each = local.shares

  name        = "${var.name}-writer-${each.key}"
  description = "What collectors of cluster ${each.value.cluster} may write"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "WriteLogsOfItsTenants"
        Effect = "Allow"
        Action = "s3:PutObject"
        # Every segment before the first wildcard is fixed: "*" matches slashes too, and <any>/<cluster>/* would allow
        # <victim>/<other cluster>/<cluster>/x, which a worker reads as the victim's.
        Resource = [
          for tenant in each.value.tenants :
          "${var.bucket_arn}/${replace(replace(var.key_prefix, "{tenant}", tenant), "{cluster}", each.value.cluster)}*"
        ]
      },
      local.seal,
    ]
  })
}

resource "aws_iam_role_policy_attachment" "clusters" {
  for_each = local.shares

  role       = aws_iam_role.clusters[each.value.cluster].name
  policy_arn = aws_iam_policy.clusters[each.key].arn
}

# --------------------------------------------------------------------------------------------- one role, by session tags

resource "aws_iam_role" "brokered" {
  for_each = var.brokers

  name                 = "${var.name}-writer-${each.key}"
  description          = "Collectors, as whom the tags of their session say"
  max_session_duration = 3600

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "BrokerNamesTenantAndCluster"
      Effect    = "Allow"
      Principal = { AWS = sort(each.value.role_arns) }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Condition = {
        Null = { "aws:RequestTag/tenant" = "false", "aws:RequestTag/cluster" = "false" }
        # A slash in a tag would be a further segment, and nothing would be an empty one.
        StringNotLike = { "aws:RequestTag/tenant" = ["*/*", ""], "aws:RequestTag/cluster" = ["*/*", ""] }
        # A session's tags do not travel on: who comes after it must be tagged anew.
        "ForAllValues:StringEquals" = { "aws:TagKeys" = ["tenant", "cluster"] }
      }
    }]
  })
}

resource "aws_iam_role_policy" "brokered" {
  for_each = var.brokers

  name = "write"
  role = aws_iam_role.brokered[each.key].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "WriteLogsOfTheSessionsTenant"
        Effect = "Allow"
        Action = "s3:PutObject"
        Resource = "${var.bucket_arn}/${replace(replace(
          var.key_prefix, "{tenant}", "$${aws:PrincipalTag/tenant}"), "{cluster}", "$${aws:PrincipalTag/cluster}"
        )}*"
      },
      local.seal,
    ]
  })
}
