// SPDX-License-Identifier: Apache-2.0
// The authority whose certificates name nodes: checks a request for one, signs it, and makes an authority where there is none.

import BNGCore
import Crypto
import Foundation
import SwiftASN1
import X509

/// Why there is no certificate.
public struct AuthorityError: Error, Equatable, Sendable, CustomStringConvertible {
    public var description: String

    init(_ description: String) { self.description = description }
}

/// A certificate that was made.
public struct IssuedCertificate: Hashable, Sendable {
    /// DER.
    public var certificate: [UInt8]
    /// Hexadecimal.
    public var serial: String
    public var ends: BNGCore.UTCTime
}

/// A certificate and its private key.
public struct CertificateAuthority: Sendable {
    private let certificate: Certificate
    private let key: Certificate.PrivateKey
    /// The authority's own certificate, DER.
    public let der: [UInt8]

    /// - Parameters: PEM texts. The key must be the certificate's, and the certificate one that may sign others.
    public init(certificate: String, key: String) throws(AuthorityError) {
        do {
            self.certificate = try Certificate(pemEncoded: certificate)
            self.key = try Certificate.PrivateKey(pemEncoded: key)
            self.der = try Self.der(self.certificate)
        } catch {
            throw AuthorityError("expected a certificate and its key in PEM: \(error)")
        }
        guard self.key.publicKey == self.certificate.publicKey else {
            throw AuthorityError("the key is not the certificate's")
        }
        guard case .isCertificateAuthority = try? self.certificate.extensions.basicConstraints else {
            throw AuthorityError("the certificate is not one of an authority (basicConstraints)")
        }
    }

    static func der(_ value: some DERSerializable) throws -> [UInt8] {
        var serializer = DER.Serializer()
        try serializer.serialize(value)
        return serializer.serializedBytes
    }

    /// Checks a node's request and signs a certificate for TLS clients that names it.
    /// - Parameters:
    ///   - request: PKCS #10, DER (RFC 2986). Only its key is used: what it would like to be called is not its decision.
    ///   - key: SubjectPublicKeyInfo, DER, that the request must be for.
    public func issue(
        request: [UInt8], key: [UInt8], to node: String, lifetime: Seconds, now: BNGCore.UTCTime
    ) throws(AuthorityError) -> IssuedCertificate {
        let parsed: CertificateSigningRequest
        do {
            parsed = try CertificateSigningRequest(derEncoded: request)
            guard try Self.der(parsed.publicKey) == key else {
                throw AuthorityError("the request is for another key than the connection's")
            }
        } catch let error as AuthorityError {
            throw error
        } catch {
            throw AuthorityError("expected a PKCS #10 request")
        }
        guard parsed.publicKey.isValidSignature(parsed.signature, for: parsed) else {
            throw AuthorityError("the request is not signed by its key")
        }
        let start = Date(timeIntervalSince1970: Double(now.milliseconds) / 1_000)
        do {
            let extensions = try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.clientAuth])
                SubjectAlternativeNames([.dnsName(node)])
            }
            return try self.sign(
                parsed.publicKey, subject: try DistinguishedName { CommonName(node) }, extensions,
                from: start, lifetime: lifetime)
        } catch {
            throw AuthorityError("the certificate could not be signed: \(error)")
        }
    }

    private func sign(
        _ key: Certificate.PublicKey, subject: DistinguishedName, _ extensions: Certificate.Extensions, from: Date,
        lifetime: Seconds
    ) throws -> IssuedCertificate {
        // A minute of grace for clocks that are behind.
        let end = min(from.addingTimeInterval(Double(lifetime.value)), self.certificate.notValidAfter)
        let serial = Certificate.SerialNumber()
        let certificate = try Certificate(
            version: .v3, serialNumber: serial, publicKey: key, notValidBefore: from.addingTimeInterval(-60),
            notValidAfter: end, issuer: self.certificate.subject, subject: subject, extensions: extensions,
            issuerPrivateKey: self.key)
        return IssuedCertificate(
            certificate: try Self.der(certificate),
            serial: serial.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(),
            ends: BNGCore.UTCTime(milliseconds: Int64(end.timeIntervalSince1970) * 1_000))
    }
}

// MARK: Making one

extension CertificateAuthority {
    /// PEM texts of a new authority (ECDSA P-256, ten years).
    public static func make(name: String, now: Date = Date()) throws -> (certificate: String, key: String) {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let subject = try DistinguishedName { CommonName(name) }
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
            notValidBefore: now.addingTimeInterval(-60), notValidAfter: now.addingTimeInterval(3_650 * 86_400),
            issuer: subject, subject: subject,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
            }, issuerPrivateKey: key)
        return (try certificate.serializeAsPEM().pemString, try key.serializeAsPEM().pemString)
    }

    /// PEM texts of a controller's certificate, this authority's behind it so that agents can pin that one, and of its key.
    /// - Parameter hosts: names and addresses agents dial.
    public func makeServer(
        hosts: [String], lifetime: Seconds, now: Date = Date()
    ) throws -> (chain: String, key: String) {
        guard let first = hosts.first else { throw AuthorityError("expected at least one name or address") }
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let names = hosts.map { host -> GeneralName in
            if let address = IPv4Address(host) { return .ipAddress(ASN1OctetString(contentBytes: address.bytes[...])) }
            if let address = IPv6Address(host) { return .ipAddress(ASN1OctetString(contentBytes: address.bytes[...])) }
            return .dnsName(host)
        }
        let issued = try self.sign(
            key.publicKey, subject: try DistinguishedName { CommonName(first) },
            try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames(names)
            }, from: now, lifetime: lifetime)
        let own = try Certificate(derEncoded: issued.certificate).serializeAsPEM().pemString
        let authority = try self.certificate.serializeAsPEM().pemString
        return (own + "\n" + authority + "\n", try key.serializeAsPEM().pemString)
    }
}
