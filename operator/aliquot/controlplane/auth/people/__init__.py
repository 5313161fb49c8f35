"""People for whom an issuer outside vouches: OpenID Connect, with the code of a sign-in that happened there.

    code ─▶ `provider` asks the issuer ─▶ ID token, checked with the issuer's keys ─▶ `claims`: who it is. Pure
         ─▶ `signing_in` keeps the user and the groups ─▶ tokens of our own, which never outlive the issuer's word

`provider` is the only place from which the control plane speaks to anybody.
"""
