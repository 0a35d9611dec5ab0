// SPDX-License-Identifier: Apache-2.0
// The link of a PPP session as one line of text: written for every set-up, where JSON costs more than the rest of the row.

import BNGCore
import PPP
import Subscribers

extension PPPoEDetails {
    /// `1 MAGIC PEER-MAGIC MRU PEER-MRU INTERFACE PEER-INTERFACE AUTHENTICATION LOCAL MTU SERVICE`; numbers in decimal, `-`
    /// for no authentication, and a service that may hold spaces or be empty.
    var stored: String {
        let link = self.link
        return "1 \(link.localMagic) \(link.peerMagic) \(link.localMRU) \(link.peerMRU) \(link.localInterfaceID)"
            + " \(link.peerInterfaceID) \(link.authentication?.rawValue ?? "-") \(self.local.rawValue) \(self.mtu)"
            + " \(self.service)"
    }

    /// `.some(nil)` for the empty text of IPoE; nil if the text is none that any version wrote.
    static func from(_ text: String) -> PPPoEDetails?? {
        guard !text.isEmpty else { return .some(nil) }
        let words = text.split(separator: " ", maxSplits: 10, omittingEmptySubsequences: false)
        guard words.count == 11, words[0] == "1", let localMagic = UInt32(words[1]), let peerMagic = UInt32(words[2]),
            let localMRU = UInt16(words[3]), let peerMRU = UInt16(words[4]), let localID = UInt64(words[5]),
            let peerID = UInt64(words[6]), let local = UInt32(words[8]), let mtu = UInt16(words[9])
        else { return nil }
        let authentication = PPPAuthentication(rawValue: String(words[7]))
        guard words[7] == "-" || authentication != nil else { return nil }
        var link = PPPLink()
        (link.localMagic, link.peerMagic, link.localMRU, link.peerMRU) = (localMagic, peerMagic, localMRU, peerMRU)
        (link.localInterfaceID, link.peerInterfaceID, link.authentication) = (localID, peerID, authentication)
        return .some(
            PPPoEDetails(
                link: link, service: String(words[10]), local: IPv4Address(rawValue: local), mtu: mtu))
    }
}
