"""What an organization may ask of a deployment: a boundary, a key and a network of its own."""

BOUNDARY = "arn:aws:iam::111122223333:policy/team/boundary"
KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
NETWORK = {
    "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    "security_groups": ["sg-0123456789abcdef0"],
}
