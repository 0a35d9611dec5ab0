// SPDX-License-Identifier: Apache-2.0
// The names a certificate gives its holder: subject common names and dNSName alternative names (RFC 5280 4.1.2.6, 4.2.1.6).
// Reads DER that the TLS library has already verified; anything unexpected yields no name.

/// The names in one X.509 certificate.
struct CertificateNames: Equatable, Sendable {
    private(set) var commonNames: [String] = []
    private(set) var dnsNames: [String] = []

    /// Whether the certificate names `node`.
    func names(_ node: String) -> Bool { self.commonNames.contains(node) || self.dnsNames.contains(node) }

    init(der: [UInt8]) {
        var outer = DERReader(der[...])
        guard var certificate = outer.next(0x30), var tbs = certificate.next(0x30) else { return }
        // version, serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo, [1], [2], [3] extensions
        _ = tbs.next(0xa0)
        guard tbs.next(0x02) != nil, tbs.next(0x30) != nil, tbs.next(0x30) != nil, tbs.next(0x30) != nil,
            let subject = tbs.next(0x30), tbs.next(0x30) != nil
        else { return }
        self.readSubject(subject)
        _ = tbs.next(0x81)
        _ = tbs.next(0x82)
        guard var wrapper = tbs.next(0xa3), let extensions = wrapper.next(0x30) else { return }
        self.readExtensions(extensions)
    }

    private mutating func readSubject(_ subject: DERReader) {
        var names = subject
        while var set = names.next(0x31) {
            while var attribute = set.next(0x30) {
                guard let kind = attribute.next(0x06), Array(kind.bytes) == [0x55, 0x04, 0x03] else { continue }
                // UTF8String, PrintableString or IA5String
                if let value = attribute.next(0x0c) ?? attribute.next(0x13) ?? attribute.next(0x16) {
                    self.commonNames.append(String(decoding: value.bytes, as: UTF8.self))
                }
            }
        }
    }

    private mutating func readExtensions(_ extensions: DERReader) {
        var list = extensions
        while var entry = list.next(0x30) {
            guard let kind = entry.next(0x06), Array(kind.bytes) == [0x55, 0x1d, 0x11] else { continue }
            _ = entry.next(0x01)
            guard var value = entry.next(0x04), var names = value.next(0x30) else { continue }
            while let (tag, name) = names.next() {
                guard tag == 0x82 else { continue }
                self.dnsNames.append(String(decoding: name.bytes, as: UTF8.self))
            }
        }
    }
}

/// A cursor over DER elements.
private struct DERReader {
    private(set) var bytes: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
    }

    /// The next element if it has this tag.
    mutating func next(_ tag: UInt8) -> DERReader? {
        guard self.bytes.first == tag else { return nil }
        return self.next()?.1
    }

    mutating func next() -> (UInt8, DERReader)? {
        var rest = self.bytes
        guard let tag = rest.popFirst(), let first = rest.popFirst() else { return nil }
        var length = Int(first)
        if first >= 0x80 {
            guard (1...3).contains(Int(first & 0x7f)) else { return nil }
            length = 0
            for _ in 0..<(first & 0x7f) {
                guard let byte = rest.popFirst() else { return nil }
                length = length << 8 | Int(byte)
            }
        }
        guard length <= rest.count else { return nil }
        self.bytes = rest.dropFirst(length)
        return (tag, DERReader(rest.prefix(length)))
    }
}
