// SPDX-License-Identifier: Apache-2.0
// Certificates made by openssl in a folder of their own.

import Foundation

/// A certificate authority for one test.
public struct CertificateAuthority: Sendable {
    /// openssl said no.
    public struct Failure: Error { public var arguments: String }

    public let folder: URL

    /// Makes the authority in a folder inside `folder`.
    public init(_ folder: URL, _ name: String) async throws {
        self.folder = folder.appending(path: name)
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        try await self.openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -subj /CN=\(name) -days 2"
        )
    }

    /// Issues `name.pem` and `name.key`. `alternative` is a subject alternative name such as `DNS:host`.
    public func issue(_ name: String, subject: String, alternative: String? = nil) async throws {
        try await self.openssl(
            "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout \(name).key -out \(name).csr -subj \(subject)"
        )
        var extra = ""
        if let alternative {
            try "subjectAltName=\(alternative)\n".write(
                to: self.folder.appending(path: "\(name).ext"), atomically: true, encoding: .utf8)
            extra = " -extfile \(name).ext"
        }
        try await self.openssl(
            "x509 -req -in \(name).csr -CA ca.pem -CAkey ca.key -CAcreateserial -out \(name).pem -days 2" + extra)
    }

    public func path(_ file: String) -> String { self.folder.appending(path: file).path }

    private func openssl(_ arguments: String) async throws {
        let result = try await runChild(
            "/usr/bin/openssl", arguments.split(separator: " ").map(String.init), in: self.folder)
        guard result.status == 0 else { throw Failure(arguments: arguments) }
    }
}
