"""The subcommands of `basebound`, one file each; the contract is `explorer.cli.Command`."""
