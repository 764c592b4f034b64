"""The way in without notifications: a bucket is listed, in rounds or once."""
