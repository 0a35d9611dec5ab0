// SPDX-License-Identifier: Apache-2.0
// How a line without a login of its own gets the user name it is known to AAA by.

import BNGCore

/// A user name with placeholders, such as `{circuit-id}` or `{port}:{s-vlan}.{c-vlan}`.
///
/// What a client or an access node sent as bytes stays as it is if it is printable UTF-8 that does not begin with `0x`; else the
/// whole value becomes `0x` and hexadecimal digits, so that two values never look the same. Names longer than 253 bytes (what an
/// attribute of RFC 2865 holds) are cut, and end in a hash of the whole.
public struct UserNameTemplate: Equatable, Sendable, CustomStringConvertible {
    /// Why a text is no template.
    public enum Problem: Error, Equatable, Sendable, CustomStringConvertible {
        case unknownPlaceholder(String)
        case unbalancedBrace
        case noPlaceholder

        public var description: String {
            switch self {
            case .unknownPlaceholder(let name):
                return "unknown placeholder {\(name)}: expected one of \(UserNameTemplate.knownPlaceholders)"
            case .unbalancedBrace: return "a brace without its partner: expected {NAME}"
            case .noPlaceholder:
                return "the same name for every line: expected one of \(UserNameTemplate.knownPlaceholders)"
            }
        }
    }

    /// What may stand between braces.
    public enum Placeholder: String, Sendable, CaseIterable {
        case mac
        /// Twelve hexadecimal digits.
        case macPlain = "mac-plain"
        case circuitID = "circuit-id"
        case remoteID = "remote-id"
        case sVLAN = "s-vlan"
        case cVLAN = "c-vlan"
        case port, node
        case clientID = "client-id"
        case vendorClass = "vendor-class"
        case hostName = "host-name"
    }

    private enum Part: Equatable, Sendable {
        case text(String)
        case placeholder(Placeholder)
    }

    /// Longest name in bytes.
    public static let limit = 253
    static let knownPlaceholders = Placeholder.allCases.map { "{\($0.rawValue)}" }.joined(separator: " ")

    /// As it was written.
    public let description: String
    private let parts: [Part]

    /// `{mac}`.
    public static let mac = UserNameTemplate(description: "{mac}", parts: [.placeholder(.mac)])

    private init(description: String, parts: [Part]) {
        self.description = description
        self.parts = parts
    }

    /// Reads a template.
    public init(_ text: String) throws(Problem) {
        var parts: [Part] = []
        var rest = text[...]
        while let brace = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
            if brace > rest.startIndex { parts.append(.text(String(rest[..<brace]))) }
            guard rest[brace] == "{", let end = rest[brace...].firstIndex(of: "}") else { throw .unbalancedBrace }
            let name = String(rest[rest.index(after: brace)..<end])
            guard !name.contains("{") else { throw .unbalancedBrace }
            guard let placeholder = Placeholder(rawValue: name) else { throw .unknownPlaceholder(name) }
            parts.append(.placeholder(placeholder))
            rest = rest[rest.index(after: end)...]
        }
        if !rest.isEmpty { parts.append(.text(String(rest))) }
        guard parts.contains(where: { if case .placeholder = $0 { true } else { false } }) else { throw .noPlaceholder }
        self.init(description: text, parts: parts)
    }

    /// The user name of a line. Empty if nothing the template asks for is known of it: then nobody must be asked about it.
    public func render(_ facts: LineFacts) -> String {
        var name = ""
        var identifies = false
        for part in self.parts {
            switch part {
            case .text(let text): name += text
            case .placeholder(let placeholder):
                let value = Self.value(placeholder, facts)
                identifies = identifies || !value.isEmpty
                name += value
            }
        }
        return identifies ? Self.fitted(name) : ""
    }

    private static func value(_ placeholder: Placeholder, _ facts: LineFacts) -> String {
        switch placeholder {
        case .mac: return facts.mac.description
        case .macPlain: return hexadecimal(facts.mac.bytes)
        case .circuitID: return self.printable(facts.circuitID)
        case .remoteID: return self.printable(facts.remoteID)
        case .sVLAN: return String(facts.sVLAN)
        case .cVLAN: return String(facts.cVLAN)
        case .port: return facts.port
        case .node: return facts.node
        case .clientID: return self.printable(facts.clientID)
        case .vendorClass: return self.printable(facts.vendorClass)
        case .hostName: return self.printable(Array(facts.hostName.utf8))
        }
    }

    /// Bytes a client chose as text: as they are if that can be printed, else hexadecimal as a whole.
    public static func printable(_ bytes: [UInt8]) -> String {
        let escaped = "0x" + hexadecimal(bytes)
        guard let text = String(validating: bytes, as: UTF8.self) else { return bytes.isEmpty ? "" : escaped }
        let isPlain = text.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
                return false
            default: return true
            }
        }
        return isPlain && !text.hasPrefix("0x") ? text : escaped
    }

    private static func fitted(_ name: String) -> String {
        guard name.utf8.count > self.limit else { return name }
        var hash = StableHash()
        hash.mix(name.utf8)
        let digits = String(hash.value, radix: 16)
        let end = "~" + String(repeating: "0", count: 16 - digits.count) + digits
        var start = ""
        for character in name.unicodeScalars {
            guard start.utf8.count + UTF8.width(character) + end.utf8.count <= self.limit else { break }
            start.unicodeScalars.append(character)
        }
        return start + end
    }
}
