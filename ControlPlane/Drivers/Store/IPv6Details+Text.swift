// SPDX-License-Identifier: Apache-2.0
// The IPv6 half of a session as one line of text: written for every set-up, where JSON costs more than the rest of the row.

import BNGCore
import Subscribers

extension IPv6Details {
    /// `1 DUID OPTIONS` and a word for each of the rest: `L` PREFIX`,`POOL the line's, `A` or `D` IAID`,`PREFIX`,`POOL a
    /// binding, `S` PREFIX`,`TIME what is stale, `R` ORIGIN behind a relay. `-` for no DUID and no options. The lease's end has a column of its own.
    var stored: String {
        let options = self.requestedOptions.map { String($0) }.joined(separator: ",")
        var text = "1 \(self.clientID.isEmpty ? "-" : hexadecimal(self.clientID)) \(options.isEmpty ? "-" : options)"
        if let link = self.link { text += " L\(link.stored)" }
        for binding in self.bindings {
            text += " \(binding.isDelegation ? "D" : "A")\(binding.iaid),\(binding.resource.stored)"
        }
        for stale in self.stale { text += " S\(stale.prefix.stored),\(stale.until.milliseconds)" }
        if let origin = self.origin { text += " R\(hexadecimal(origin))" }
        return text
    }

    /// `.some(nil)` for the empty text of a session without IPv6; nil if the text is none that any version wrote.
    static func from(_ text: String, expires: UTCTime) -> IPv6Details?? {
        guard !text.isEmpty else { return .some(nil) }
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count >= 3, words[0] == "1" else { return nil }
        var details = IPv6Details()
        details.expires = expires
        if words[1] != "-" {
            guard let clientID = bytes(hexadecimal: words[1]) else { return nil }
            details.clientID = clientID
        }
        if words[2] != "-" {
            for option in words[2].split(separator: ",", omittingEmptySubsequences: false) {
                guard let code = UInt16(option) else { return nil }
                details.requestedOptions.append(code)
            }
        }
        for word in words.dropFirst(3) where !details.read(word) { return nil }
        return .some(details)
    }

    private mutating func read(_ word: Substring) -> Bool {
        let body = word.dropFirst()
        switch word.first {
        case "L":
            guard self.link == nil, let link = Resource(stored: body) else { return false }
            self.link = link
        case "A", "D":
            let parts = body.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let iaid = UInt32(parts[0]), let resource = Resource(stored: parts[1]) else {
                return false
            }
            self.bindings.append(Binding(isDelegation: word.first == "D", iaid: iaid, resource: resource))
        case "S":
            let parts = body.split(separator: ",", omittingEmptySubsequences: false)
            guard parts.count == 2, let prefix = IPv6Prefix(stored: parts[0]), let until = Int64(parts[1]) else {
                return false
            }
            self.stale.append(Stale(prefix: prefix, until: UTCTime(milliseconds: until)))
        case "R":
            guard self.origin == nil, let origin = bytes(hexadecimal: body), origin.count >= 16 else { return false }
            self.origin = origin
        default: return false
        }
        return true
    }
}

extension IPv6Details.Resource {
    fileprivate var stored: String { "\(self.prefix.stored),\(escaped(self.pool))" }

    fileprivate init?(stored text: Substring) {
        let parts = text.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let prefix = IPv6Prefix(stored: parts[0]) else { return nil }
        self.init(prefix: prefix, pool: unescaped(parts[1]))
    }
}

/// A pool's name without the space that ends a word.
private func escaped(_ name: String) -> String {
    guard name.contains(where: { $0 == " " || $0 == "%" }) else { return name }
    return name.map { $0 == " " ? "%s" : $0 == "%" ? "%%" : String($0) }.joined()
}

private func unescaped(_ text: Substring) -> String {
    var name = ""
    var isEscape = false
    for character in text {
        if !isEscape, character == "%" {
            isEscape = true
        } else {
            name.append(isEscape && character == "s" ? " " : character)
            isEscape = false
        }
    }
    return name
}

extension IPv6Prefix {
    /// Both words of the address in hexadecimal and the length: cheaper than the form people read.
    fileprivate var stored: String {
        "\(String(self.address.high, radix: 16)):\(String(self.address.low, radix: 16))/\(self.length)"
    }

    fileprivate init?(stored text: Substring) {
        guard let colon = text.firstIndex(of: ":"), let slash = text.firstIndex(of: "/"), colon < slash,
            let high = UInt64(text[..<colon], radix: 16),
            let low = UInt64(text[text.index(after: colon)..<slash], radix: 16),
            let length = Int(text[text.index(after: slash)...])
        else { return nil }
        self.init(IPv6Address(high: high, low: low), length: length)
    }
}
