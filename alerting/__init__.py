from alerting.email import EmailChannel

KINDS: dict[str, type[EmailChannel]] = {"email": EmailChannel}
