"""Can this prediction be believed: nearest measured neighbours, domain, conformal intervals. numpy only."""
