// SPDX-License-Identifier: Apache-2.0
// What the authority signs, and what it does not.

import BNGCore
import Crypto
import Foundation
import NodeAuthority
import SwiftASN1
import Testing
import X509

private struct Applicant {
    let key = Certificate.PrivateKey(P256.Signing.PrivateKey())

    func publicKey() throws -> [UInt8] {
        var serializer = DER.Serializer()
        try serializer.serialize(self.key.publicKey)
        return serializer.serializedBytes
    }

    func request(calling name: String = "whatever") throws -> [UInt8] {
        let request = try CertificateSigningRequest(
            version: .v1, subject: try DistinguishedName { CommonName(name) }, privateKey: self.key,
            attributes: CertificateSigningRequest.Attributes())
        var serializer = DER.Serializer()
        try serializer.serialize(request)
        return serializer.serializedBytes
    }
}

@Suite struct CertificateAuthorityTests {
    private let authority: CertificateAuthority
    private let root: Certificate
    private let now = BNGCore.UTCTime(milliseconds: Int64(Date().timeIntervalSince1970) * 1_000)

    init() throws {
        let made = try CertificateAuthority.make(name: "test")
        self.authority = try CertificateAuthority(certificate: made.certificate, key: made.key)
        self.root = try Certificate(pemEncoded: made.certificate)
    }

    @Test func `names the node it was told, whatever the request would like`() async throws {
        let applicant = Applicant()
        let issued = try self.authority.issue(
            request: try applicant.request(calling: "edge2"), key: try applicant.publicKey(), to: "edge1",
            lifetime: 600,
            now: self.now)
        let certificate = try Certificate(derEncoded: issued.certificate)
        #expect(certificate.subject.description == "CN=edge1")
        #expect(
            try certificate.extensions.subjectAlternativeNames.map { Array($0) } == [GeneralName.dnsName("edge1")])
        #expect(issued.ends.milliseconds == self.now.milliseconds + 600_000)
        var verifier = Verifier(rootCertificates: CertificateStore([self.root])) { RFC5280Policy() }
        guard case .validCertificate = await verifier.validate(leaf: certificate, intermediates: .init()) else {
            Issue.record("not valid")
            return
        }
    }

    @Test func `refuses a request for another key, a changed one and what is none`() throws {
        let applicant = Applicant()
        let request = try applicant.request()
        let key = try applicant.publicKey()
        func refused(_ request: [UInt8], _ key: [UInt8]) -> Bool {
            do {
                _ = try self.authority.issue(request: request, key: key, to: "edge1", lifetime: 600, now: self.now)
                return false
            } catch { return true }
        }
        #expect(refused(request, try Applicant().publicKey()))
        #expect(refused([], key))
        #expect(refused(Array(request.dropLast()), key))
        // The last bytes are the signature's.
        var changed = request
        changed[changed.count - 1] ^= 1
        #expect(refused(changed, key))
        #expect(!refused(request, key))
    }

    @Test func `never outlives itself`() throws {
        let applicant = Applicant()
        let issued = try self.authority.issue(
            request: try applicant.request(), key: try applicant.publicKey(), to: "edge1", lifetime: 400_000_000,
            now: self.now)
        #expect(Double(issued.ends.milliseconds) / 1_000 <= self.root.notValidAfter.timeIntervalSince1970)
    }

    @Test func `a key or certificate that is no authority's is refused`() throws {
        let other = try CertificateAuthority.make(name: "other")
        let mine = try CertificateAuthority.make(name: "mine")
        #expect(throws: AuthorityError.self) {
            try CertificateAuthority(certificate: mine.certificate, key: other.key)
        }
        let server = try self.authority.makeServer(hosts: ["192.0.2.1", "controller.example"], lifetime: 600)
        #expect(throws: AuthorityError.self) { try CertificateAuthority(certificate: server.chain, key: server.key) }
        #expect(throws: AuthorityError.self) { try CertificateAuthority(certificate: "", key: "") }
    }
}
