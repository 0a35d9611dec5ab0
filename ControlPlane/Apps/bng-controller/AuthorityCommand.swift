// SPDX-License-Identifier: Apache-2.0
// bng-controller authority: the files a controller needs to be dialled by TLS and to let nodes in.

import ArgumentParser
import BNGCore
import Crypto
import Foundation
import NodeAuthority

struct AuthorityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "authority",
        abstract: "Make an authority (once) and a certificate of it for this controller.",
        discussion: """
            Writes authority.pem, authority.key, controller.pem and controller.key. An authority that is there is kept and
            signs a new controller certificate. Prints the pin agents may be given (controller-pin = ...).
            """)

    @Option(help: "The folder for the four files.")
    var directory: String
    @Option(help: "A name or address agents dial; may be repeated.")
    var host: [String]
    @Option(help: "What the authority is called.")
    var name = "BNG authority"
    @Option(help: "Days the controller's certificate counts.")
    var days: UInt32 = 825

    func validate() throws {
        guard !self.host.isEmpty else { throw ValidationError("expected --host at least once") }
        guard (1...3_650).contains(self.days) else { throw ValidationError("expected --days from 1 to 3650") }
    }

    func run() throws {
        umask(0o077)
        let folder = URL(filePath: self.directory, directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let certificateFile = folder.appending(path: "authority.pem")
        let keyFile = folder.appending(path: "authority.key")
        if !FileManager.default.fileExists(atPath: certificateFile.path) {
            let made = try CertificateAuthority.make(name: self.name)
            try Data((made.key + "\n").utf8).write(to: keyFile, options: .atomic)
            try Data((made.certificate + "\n").utf8).write(to: certificateFile, options: .atomic)
        }
        let authority = try CertificateAuthority(
            certificate: String(contentsOf: certificateFile, encoding: .utf8),
            key: String(contentsOf: keyFile, encoding: .utf8))
        let server = try authority.makeServer(hosts: self.host, lifetime: Seconds(self.days * 86_400))
        try Data((server.key + "\n").utf8).write(to: folder.appending(path: "controller.key"), options: .atomic)
        try Data(server.chain.utf8).write(to: folder.appending(path: "controller.pem"), options: .atomic)
        print("controller-pin = sha256:\(NodeIdentities.hexadecimal(SHA256.hash(data: authority.der)))")
    }
}
