// SPDX-License-Identifier: Apache-2.0
// bngctl: the operator's tool over the controller's socket. Subcommands are in Show, Clear, AuditCommand, NATCommand, NodeCommand and Subscriber.

import ArgumentParser

@main
struct BNGControl: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bngctl",
        abstract: "Shows and steers a running bng-controller.",
        discussion: """
            Exit codes: 0 done; 1 the controller refused or does not know the object; 2 the controller cannot be reached;
            64 wrong options.
            """,
        version: "0.1.0",
        subcommands: [Show.self, Clear.self, AuditCommand.self, NATCommand.self, NodeCommand.self, Subscriber.self])
}

/// Options every command has.
struct Connection: ParsableArguments {
    @Option(help: "The controller's operator socket.")
    var socket = "/run/bng/admin.sock"

    @Flag(help: "Print the controller's JSON as it is.")
    var json = false
}
