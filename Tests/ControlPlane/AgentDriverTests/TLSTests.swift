// SPDX-License-Identifier: Apache-2.0
// TLS 1.3 with both certificates: who is let in, and as which node.

import AgentContract
import AgentDriver
import AgentProto
import BNGCore
import Foundation
import NIOCore
import NIOSSL
import TestVectors
import Testing

private typealias Authority = CertificateAuthority

extension CertificateAuthority {
    fileprivate func client(_ name: String?, trusting authority: Authority, maximum: TLSVersion? = nil) throws
        -> NIOSSLContext
    {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .file(authority.path("ca.pem"))
        if let name {
            tls.certificateChain = try NIOSSLCertificate.fromPEMFile(self.path("\(name).pem")).map { .certificate($0) }
            tls.privateKey = .privateKey(try NIOSSLPrivateKey(file: self.path("\(name).key"), format: .pem))
        }
        tls.maximumTLSVersion = maximum
        return try NIOSSLContext(configuration: tls)
    }
}

@Suite(.serialized) struct TLSTests {
    private func run(_ body: (World, Authority, Authority) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "bng-tls-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let ours = try await Authority(folder, "ours")
        let theirs = try await Authority(folder, "theirs")
        try await ours.issue("controller", subject: "/CN=controller", alternative: "DNS:controller.example")
        try await ours.issue("edge1", subject: "/O=isp/CN=edge1")
        try await ours.issue("edge2", subject: "/O=isp", alternative: "DNS:edge2")
        try await theirs.issue("edge1", subject: "/CN=edge1")
        try await World.run(adjust: { configuration in
            configuration.listeners = [
                .tls(
                    host: "127.0.0.1", port: 0, certificate: ours.path("controller.pem"),
                    key: ours.path("controller.key"), authority: ours.path("ca.pem"))
            ]
        }) { world in try await body(world, ours, theirs) }
    }

    @Test func `a certificate names its node by common name or by alternative name`() async throws {
        try await self.run { world, ours, _ in
            let first = TestAgent(node: "edge1")
            try await first.connect(world.address, tls: try ours.client("edge1", trusting: ours))
            try await world.synchronized("edge1")
            let second = TestAgent(node: "edge2")
            try await second.connect(world.address, tls: try ours.client("edge2", trusting: ours))
            try await world.synchronized("edge2")
        }
    }

    @Test func `a certificate of another node is refused with IDENTITY`() async throws {
        try await self.run { world, ours, _ in
            let lane = try await TestLane.connect(
                to: world.address, tls: try ours.client("edge2", trusting: ours))
            try await lane.send(.hello(TestAgent(node: "edge1").hello()))
            #expect(try await lane.closingNotice().code == .identity)
            #expect(try await world.status("edge1").reachability == .unknown)
        }
    }

    @Test func `a lane of another node's association is refused with IDENTITY`() async throws {
        try await self.run { world, ours, _ in
            let agent = TestAgent(node: "edge1")
            try await agent.connect(world.address, tls: try ours.client("edge1", trusting: ours))
            let id = await agent.associationID
            let lane = try await TestLane.connect(
                to: world.address, tls: try ours.client("edge2", trusting: ours))
            try await lane.send(
                .laneHello(
                    .with {
                        $0.lane = .punt
                        $0.associationID = id
                        $0.bootID = agent.bootID
                    }))
            #expect(try await lane.closingNotice().code == .identity)
        }
    }

    @Test(arguments: ["foreign authority", "no certificate", "TLS 1.2"])
    func `a peer without a certificate of ours, or without TLS 1_3, never gets to say hello`(_ what: String)
        async throws
    {
        try await self.run { world, ours, theirs in
            let tls =
                switch what {
                case "foreign authority": try theirs.client("edge1", trusting: ours)
                case "no certificate": try ours.client(nil, trusting: ours)
                default: try ours.client("edge1", trusting: ours, maximum: .tlsv12)
                }
            if let lane = try? await TestLane.connect(to: world.address, tls: tls) {
                try? await lane.send(.hello(TestAgent(node: "edge1").hello()))
                try await lane.untilClosed()
            }
            #expect(try await world.status("edge1").reachability == .unknown)
        }
    }
}
