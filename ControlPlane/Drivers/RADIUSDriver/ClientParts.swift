// SPDX-License-Identifier: Apache-2.0
// What the configuration names outside of itself: secrets, certificates, addresses. Read once, before anything starts.

import BNGCore
import NIOCore
import NIOSSL
import RADIUS

struct ClientParts: Sendable {
    private enum Way: Sendable {
        case udp([RADIUSRole: SocketAddress])
        case tls(host: String, port: Int, NIOSSLContext)
    }

    private struct Part: Sendable {
        var server: RADIUSConfiguration.Server
        var secret: RADIUSSecret
        var way: Way
    }

    let linePassword: [UInt8]
    private var parts: [String: Part] = [:]
    private let configuration: RADIUSConfiguration
    private let source: SocketAddress?

    init(_ configuration: RADIUSConfiguration) throws {
        self.configuration = configuration
        self.linePassword = try configuration.passwordFile.map { path throws in try SecretFile.read(path) } ?? []
        self.source = try configuration.sourceAddress.map { try Self.address($0, 0) }
        for server in configuration.servers {
            guard self.parts[server.name] == nil else {
                throw RADIUSDriverError("two RADIUS servers are named \(server.name)")
            }
            self.parts[server.name] = try Self.part(server)
        }
        for name in configuration.authentication.servers + configuration.accounting.servers {
            guard self.parts[name] != nil else { throw RADIUSDriverError("no RADIUS server is named \(name)") }
        }
    }

    private static func address(_ text: String, _ port: Int) throws -> SocketAddress {
        guard let address = try? SocketAddress(ipAddress: text, port: port) else {
            throw RADIUSDriverError("\(text): expected an IP address")
        }
        return address
    }

    private static func part(_ server: RADIUSConfiguration.Server) throws -> Part {
        switch server.transport {
        case .udp(let address, let authenticationPort, let accountingPort, let file):
            let secret = RADIUSSecret(try SecretFile.read(file), digests: CryptoDigests())
            let addresses = [
                RADIUSRole.authentication: try Self.address(address, authenticationPort),
                .accounting: try Self.address(address, accountingPort),
            ]
            return Part(server: server, secret: secret, way: .udp(addresses))
        case .tls(let host, let port, let certificate, let key, let authority):
            try SecretFile.check(key)
            let context = try Self.context(certificate, key, authority)
            // RFC 6614 2.3: the secret is this word.
            let secret = RADIUSSecret(Array("radsec".utf8), digests: CryptoDigests())
            return Part(server: server, secret: secret, way: .tls(host: host, port: port, context))
        }
    }

    private static func context(_ certificate: String, _ key: String, _ authority: String) throws -> NIOSSLContext {
        do {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.minimumTLSVersion = .tlsv12
            tls.certificateVerification = .fullVerification
            tls.trustRoots = .file(authority)
            tls.certificateChain = try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) }
            tls.privateKey = .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
            return try NIOSSLContext(configuration: tls)
        } catch {
            throw RADIUSDriverError("\(certificate), \(key), \(authority): expected PEM files that fit: \(error)")
        }
    }

    /// On the core's loop.
    func addLinks(to core: ClientCore) {
        let roles: [(RADIUSRole, [String])] = [
            (.authentication, self.configuration.authentication.servers),
            (.accounting, self.configuration.accounting.servers),
        ]
        for (role, names) in roles {
            for part in names.compactMap({ self.parts[$0] }) {
                let link = ServerLink(server: part.server, role: role, secret: part.secret, core: core)
                link.transport = self.transport(part, link)
                core.add(link)
            }
        }
    }

    private func transport(_ part: Part, _ link: ServerLink) -> (any ServerTransport)? {
        switch part.way {
        case .udp(let addresses):
            guard let server = addresses[link.role] else { return nil }
            let any = server.protocol == .inet6 ? "::" : "0.0.0.0"
            guard let source = self.source ?? (try? SocketAddress(ipAddress: any, port: 0)) else { return nil }
            return UDPTransport(
                link: link, server: server, source: source, loop: link.core.loop,
                limit: self.configuration.limits.sockets)
        case .tls(let host, let port, let context):
            return RadSecTransport(
                link: link, peer: RadSecTransport.Peer(host: host, port: port, context: context),
                loop: link.core.loop, limit: self.configuration.limits.connections)
        }
    }
}
