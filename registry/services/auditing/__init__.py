"""Auditing a folder, an archive or a list of addresses. (`mirror.audit` is fsck's.)"""
