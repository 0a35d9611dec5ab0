// SPDX-License-Identifier: Apache-2.0
// The certificate a connection's peer has shown (RFC 5280): whom it names, until when, and whether its chain leads to the authority.

import BNGCore
import Foundation
import NIOCore
import SwiftASN1
import X509

/// The leaf of a peer's chain.
struct PeerCertificate: Sendable {
    /// Subject common names and dNSName alternative names (RFC 5280 4.1.2.6, 4.2.1.6).
    private(set) var names: Set<String> = []
    /// SubjectPublicKeyInfo, DER.
    let key: [UInt8]
    /// In hexadecimal.
    let serial: String
    let notAfter: BNGCore.UTCTime

    /// nil: not a certificate we can read.
    init?(der: [UInt8]) {
        guard let certificate = try? Certificate(derEncoded: der) else { return nil }
        var serializer = DER.Serializer()
        guard (try? serializer.serialize(certificate.publicKey)) != nil else { return nil }
        self.key = serializer.serializedBytes
        self.serial = Self.hexadecimal(certificate.serialNumber.bytes)
        self.notAfter = BNGCore.UTCTime(milliseconds: Int64(certificate.notValidAfter.timeIntervalSince1970 * 1_000))
        for name in certificate.subject {
            for attribute in name where attribute.type == .RDNAttributeType.commonName {
                self.names.insert(attribute.value.description)
            }
        }
        guard let alternative = try? certificate.extensions.subjectAlternativeNames else { return }
        for case .dnsName(let name) in alternative { self.names.insert(name) }
    }

    /// Whether the certificate names `node`.
    func names(_ node: String) -> Bool { self.names.contains(node) }

    private static func hexadecimal(_ bytes: ArraySlice<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

/// Judges chains of peers on a listener that also lets in those who have no certificate of the authority yet.
struct ChainJudge: Sendable {
    private let roots: [Certificate]

    /// - Parameter authority: a PEM file of one or more certificates.
    init(authority: String) throws {
        let text = try String(contentsOfFile: authority, encoding: .utf8)
        self.roots = try PEMDocument.parseMultiple(pemString: text).map { try Certificate(pemDocument: $0) }
    }

    /// `then` runs on `loop`, with what `refusal(of:)` says.
    func judge(_ chain: [[UInt8]], on loop: any EventLoop, then: @escaping @Sendable (String?) -> Void) {
        Task {
            let refusal = await self.refusal(of: chain)
            loop.execute { then(refusal) }
        }
    }

    /// nil if a chain, leaf first, leads to the authority now and its leaf may be a client; else why not.
    func refusal(of chain: [[UInt8]]) async -> String? {
        let certificates = chain.compactMap { try? Certificate(derEncoded: $0) }
        guard certificates.count == chain.count, let leaf = certificates.first else {
            return "the certificate cannot be read"
        }
        if leaf.notValidAfter < Date() { return "the certificate ended on \(leaf.notValidAfter)" }
        var verifier = Verifier(rootCertificates: CertificateStore(self.roots)) {
            RFC5280Policy()
            ClientUsePolicy()
        }
        let result = await verifier.validate(
            leaf: leaf, intermediates: CertificateStore(certificates.dropFirst()))
        if case .validCertificate = result { return nil }
        return "the certificate is not one of the authority's"
    }
}

/// What a peer has shown in its handshake, and what that is worth. Confined to its connection's event loop.
final class PeerVerdict {
    /// nil: the handshake has checked everything.
    let judge: ChainJudge?
    /// DER, leaf first.
    var chain: [[UInt8]] = []
    var isJudged: Bool
    /// nil: its chain is trusted.
    var refusal: String?

    init(judge: ChainJudge?) {
        self.judge = judge
        self.isJudged = judge == nil
    }
}

/// A leaf that says what it is for says that it is for TLS clients (RFC 5280 4.2.1.12).
private struct ClientUsePolicy: VerifierPolicy {
    let verifyingCriticalExtensions: [ASN1ObjectIdentifier] = [.X509ExtensionID.extendedKeyUsage]

    mutating func chainMeetsPolicyRequirements(chain: UnverifiedCertificateChain) async -> PolicyEvaluationResult {
        do {
            guard let usage = try chain.leaf.extensions.extendedKeyUsage else { return .meetsPolicy }
            return usage.contains(.clientAuth) || usage.contains(.any)
                ? .meetsPolicy : .failsToMeetPolicy(reason: "not a certificate of a TLS client")
        } catch {
            return .failsToMeetPolicy(reason: "extended key usage cannot be read")
        }
    }
}
