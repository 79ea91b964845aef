"""The registry that every example in the documentation is taken from."""

from __future__ import annotations

DOCUMENT = "1ad8b1b9d2b8b0b0f4a5a4b28a1e5c0b8b1f7bb0a5b1f0a3a8d8a1c5b0e4d3f2"
POLICY = "77d2c788a71ba55fa623abed6247e6f5e720da0983eb27ed8b4127fc43147ef3"
ACCOUNT = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
BLOCK = "0x6e1c9c6f5a7f0f2b3a4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f70819203"
AUTHORITY = "CN.GD.SHENZHEN"
NUMBER = "深府〔2017〕71号"
TITLE = {"zh": "关于促进金融业发展的若干措施", "en": "Measures to Support the Financial Sector"}
MOMENT = "2026-11-22T09:30:00Z"
