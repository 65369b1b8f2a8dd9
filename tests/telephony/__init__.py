"""What docs/telephony.md tells people to do, done."""
