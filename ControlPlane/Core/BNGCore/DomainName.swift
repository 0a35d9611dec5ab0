// SPDX-License-Identifier: Apache-2.0
// Domain names as DNS search lists carry them (RFC 1035 3.1): labels with their lengths, never compressed.

/// A domain name of at least one label, without the root's empty one.
public struct DomainName: Hashable, Sendable {
    /// Each 1 to 63 bytes; with their lengths and the root at most 255 bytes.
    public let labels: [[UInt8]]

    /// nil if there is no label, one is empty or too long, or the whole is.
    public init?(labels: [[UInt8]]) {
        guard !labels.isEmpty, labels.allSatisfy({ (1...63).contains($0.count) }),
            labels.reduce(1, { $0 + 1 + $1.count }) <= 255
        else { return nil }
        self.labels = labels
    }

    /// Labels, each behind its length, and a zero.
    public var wireForm: [UInt8] { self.labels.flatMap { [UInt8($0.count)] + $0 } + [0] }

    /// Reads a name up to its root label; nil is the root alone, which pads lists.
    /// - Throws: `DecodeError` for a name that is cut off, too long or compressed.
    public static func read(
        _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor
    ) throws(DecodeError) -> DomainName? {
        let start = cursor.offset
        var labels: [[UInt8]] = []
        while true {
            let length = try cursor.readUInt8(bytes)
            if length == 0 { break }
            guard length < 64, cursor.offset - start < 255 else {
                throw DecodeError(.invalid(field: "label"), at: cursor.offset - 1)
            }
            labels.append(try cursor.readBytes(Int(length), bytes))
        }
        if labels.isEmpty { return nil }
        guard let name = DomainName(labels: labels) else {
            throw DecodeError(.tooLong(field: "domain name", limit: 255), at: start)
        }
        return name
    }
}

extension DomainName: CustomStringConvertible, LosslessStringConvertible {
    /// Letters, digits, hyphens and underscores between dots; a dot at the end is allowed.
    public init?(_ description: String) {
        var parts = description.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        if parts.count > 1, parts.last?.isEmpty == true { parts.removeLast() }
        guard parts.allSatisfy({ $0.allSatisfy(Self.isPlain) }) else { return nil }
        self.init(labels: parts.map { Array($0) })
    }

    /// Labels between dots; a byte that is not plain as \DDD (RFC 1035 5.1).
    public var description: String {
        self.labels.map { label in
            label.map { Self.isPlain($0) ? String(UnicodeScalar($0)) : Self.escaped($0) }.joined()
        }.joined(separator: ".")
    }

    private static func escaped(_ byte: UInt8) -> String {
        let digits = String(byte)
        return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            return true
        default: return false
        }
    }
}
